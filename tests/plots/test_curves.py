from fractions import Fraction
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import det_curve

from facenet_lit.metrics.scored_pairs import ScoredPairs
from facenet_lit.plots.curves import deviate, draw_det, draw_roc
from facenet_lit.plots.style import pixels

FARS = (0.1, 0.01, 0.0001)  # of 5,000 impostor pairs the last is not resolvable


def scored(genuine: float = 0.7, pairs: int = 5000) -> ScoredPairs:
    rng = np.random.default_rng(0)
    near = np.clip(rng.normal(genuine, 0.2, 300), 0, 2)
    return ScoredPairs.of(near, rng.integers(0, 20, 300), np.clip(rng.normal(1.3, 0.2, pairs), 0, 2))


def lines(axes: object) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What is drawn, by the words of the legend, a line of no words by its number."""
    return {
        str(line.get_label()): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
        for line in axes.lines
    }


def marks(axes: object, symbol: str) -> list[tuple[float, float]]:
    found = [line for line in axes.lines if line.get_marker() == symbol]
    return [point for line in found for point in zip(line.get_xdata(), line.get_ydata(), strict=True)]


def test_both_curves_go_from_corner_to_corner() -> None:
    figure = draw_roc(scored(), 100, FARS, "ROC of val, step 7")
    (axes,) = figure.axes
    labels = axes.get_legend_handles_labels()[1]
    assert [label.split(":")[0] for label in labels[:2]] == ["over pairs", "balanced"]
    assert labels[2:] == ["equal errors", "at FAR 1e-1, 1e-2", "by chance"]
    for label in labels[:2]:
        far, tar = lines(axes)[label]
        assert len(far) <= 100
        assert (far[0], tar[0], far[-1], tar[-1]) == (0, 0, 1, 1)
        assert (np.diff(far) >= 0).all()
        assert (np.diff(tar) >= 0).all()
    assert axes.get_xscale() == "log"
    assert axes.get_xlim() == (1 / 5000, 1)
    assert [text.get_text() for text in figure.texts] == [
        "ROC of val, step 7",
        "300 genuine, 5,000 impostor pairs",
    ]
    assert len(draw_roc(scored(), points=3).axes[0].lines[0].get_xdata()) == 3


def test_the_marks_stand_where_counting_puts_them() -> None:
    pairs = scored()
    impostor = pairs.impostor.values()
    axes, of_errors = draw_roc(pairs, 100, FARS).axes[0], draw_det(pairs, 100, FARS).axes[0]
    weights = 1 / np.bincount(pairs.genuine_identities)[pairs.genuine_identities]
    expected = []
    for weight in (np.ones(300), weights):
        for f in FARS[:2]:
            # The largest TAR of all thresholds whose FAR is no larger.
            tars = [
                weight[pairs.genuine < t].sum() / weight.sum()
                for t in np.append(np.unique(np.concatenate([pairs.genuine, impostor])), np.inf)
                if Fraction(int((impostor < t).sum()), 5000) <= Fraction(str(f))
            ]
            expected.append((f, max(tars)))
    assert np.allclose(marks(axes, "D"), expected)
    told = [label.split(": ")[1] for label in axes.get_legend_handles_labels()[1][:2]]
    assert told == [f"TAR {tar:.3f} at FAR 1e-1" for _, tar in expected[::2]]
    for (far, tar), label in zip(marks(axes, "o"), of_errors.get_legend_handles_labels()[1], strict=False):
        assert abs(far - (1 - tar)) < 0.02  # as near as 300 pairs let them come
        assert label.endswith(f"EER {(far + 1 - tar) / 2:.3f}")


@pytest.mark.parametrize(("draw", "turned"), [(draw_roc, False), (draw_det, True)])
def test_bounds_are_bars_at_the_fars_and_stand_in_the_legend(draw: object, turned: bool) -> None:
    bounds = {"tar_at_far_1e-2_balanced_low": 0.7, "tar_at_far_1e-2_balanced_high": 0.9}
    bounds |= {"tar_at_far_1e-1_low": 0.9, "tar_at_far_1e-1_high": 0.98, "eer_low": 0.05, "eer_high": 0.08}
    figure = draw(scored(), 100, FARS, "val", bounds)
    bars = [line.get_data() for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    bars = [(x, y) for x, y in bars if np.isfinite(y).all() and x[0] == x[1]]
    drawn = [tuple(1 - norm.cdf(y) if turned else y) for _, y in bars]
    assert np.allclose(drawn, [(0.9, 0.98), (0.7, 0.9)])
    assert np.allclose([norm.cdf(x[0]) if turned else x[0] for x, _ in bars], [0.1, 0.01])
    first = figure.axes[0].get_legend_handles_labels()[1][0]
    assert ("[0.050, 0.080]" if turned else "[0.900, 0.980] at FAR 1e-1") in first
    assert figure.texts[1].get_text() == "300 genuine, 5,000 impostor pairs; [95% bounds]"


@pytest.mark.parametrize("draw", [draw_roc, draw_det])
def test_embeddings_in_one_point_look_as_useless_as_they_are(draw: object) -> None:
    """All distances are equal: no FAR below 1 has a TAR above 0. A straight line between the corners says otherwise."""
    people = np.arange(300) // 3
    figure = draw(ScoredPairs.of(np.zeros(300), people, np.zeros(5000)), 100)
    drawn, (axes,) = pixels(figure), figure.axes
    for share in (0.2, 0.5, 0.8):
        x, bottom = axes.transAxes.transform((share, 0))
        top = axes.transAxes.transform((share, 1))[1]
        rows = slice(len(drawn) - int(top) + 6, len(drawn) - int(bottom) - 6)
        column = drawn[rows, int(x) - 2 : int(x) + 3].astype(int)
        blue = column[..., 2] - column[..., 0] > 60
        assert not blue.any(), share


def test_without_a_far_the_roc_tells_equal_errors() -> None:
    labels = draw_roc(scored()).axes[0].get_legend_handles_labels()[1]
    assert [label.split(" EER 0.0")[0] for label in labels[:2]] == ["over pairs:", "balanced:"]


def test_det_is_scikit_learns_on_normal_deviates() -> None:
    pairs = scored()
    (axes,) = draw_det(pairs, 6000, FARS, "DET").axes
    far, missed, _ = det_curve(
        np.r_[np.ones(300), np.zeros(5000)], -np.r_[pairs.genuine, pairs.impostor.values()]
    )
    across, up = axes.lines[0].get_data()
    inside = (far > 0) & (missed > 0)
    at = np.searchsorted(across, norm.ppf(far[inside]) - 1e-9)
    assert np.allclose(across[at], norm.ppf(far[inside]))
    drawn = set(np.round(np.stack([across, up], 1), 6).ravel().tolist())
    assert set(np.round(norm.ppf(missed[inside]), 6).tolist()) <= drawn
    ticks = zip(axes.get_xticks(), [tick.get_text() for tick in axes.get_xticklabels()], strict=True)
    assert all(NormalDist().cdf(place) == pytest.approx(float(text[:-1]) / 100) for place, text in ticks)
    assert "5%" in [tick.get_text() for tick in axes.get_yticklabels()]


def test_deviates_are_finite() -> None:
    assert np.allclose(deviate([0.01, 0.5, 0.9]), norm.ppf([0.01, 0.5, 0.9]))
    assert np.isfinite(deviate([0.0, 1.0])).all()


@pytest.mark.parametrize(
    "pairs", [scored(1.3), scored(0.3), ScoredPairs.of([0.5], [3], [0.4]), ScoredPairs.of([0], [1], [0] * 9)]
)
@pytest.mark.parametrize("draw", [draw_roc, draw_det])
def test_poor_perfect_and_few_pairs_are_drawn_and_no_labels_touch(draw: object, pairs: ScoredPairs) -> None:
    figure = draw(pairs, 50, FARS)
    picture = pixels(figure)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50
    (axes,) = figure.axes
    renderer = figure.canvas.get_renderer()
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    for labels, (least, most) in (
        (axes.get_xticklabels(), (left, right)),
        (axes.get_yticklabels(), (low, high)),
    ):
        places = axes.get_xticks() if labels == axes.get_xticklabels() else axes.get_yticks()
        shown = [
            label.get_window_extent(renderer)
            for label, place in zip(labels, places, strict=False)
            if least <= place <= most and label.get_text()
        ]
        assert not any(one.overlaps(other) for one, other in pairwise(shown))
    for x, y in [*marks(axes, "o"), *marks(axes, "D")]:
        assert left <= x <= right
        assert low <= y <= high
