import numpy as np
import pytest

from facenet_lit.metrics.counted_distances import DistanceCounter
from facenet_lit.metrics.exact_distances import STEP
from facenet_lit.metrics.scored_pairs import ScoredPairs
from facenet_lit.plots.histograms import BINS, draw_distances, shares
from facenet_lit.plots.style import pixels

rng = np.random.default_rng(0)
GENUINE, PEOPLE = np.clip(rng.normal(0.7, 0.2, 300), 0, 2).astype(np.float32), rng.integers(0, 20, 300)
IMPOSTOR = np.append(rng.normal(1.3, 0.2, 5000).clip(0, 2), [0, 0.025, 1.975, 2]).astype(np.float32)


def test_the_bars_are_numpys() -> None:
    pairs = ScoredPairs.of(GENUINE, PEOPLE, IMPOSTOR)
    edges = BINS.astype(np.float32)
    assert np.allclose(
        shares(pairs.impostor_counts), np.histogram(IMPOSTOR, edges)[0] / len(IMPOSTOR), rtol=0, atol=1e-12
    )
    weights = 1 / np.bincount(PEOPLE)[PEOPLE]
    expected = np.histogram(GENUINE, edges, weights=weights)[0] / weights.sum()
    assert np.allclose(shares(pairs.genuine_counts(True)), expected)
    (axes,) = draw_distances(pairs, 1.1).axes
    drawn = [patch.get_data().values for patch in axes.patches]
    assert np.allclose(drawn[0], 100 * np.histogram(IMPOSTOR, edges)[0] / len(IMPOSTOR))
    assert np.allclose(drawn[2], 100 * np.histogram(GENUINE, edges)[0] / 300)
    assert np.allclose(drawn[4], 100 * expected)


def test_counted_distances_give_the_bars_of_those_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    steps = torch.from_numpy(np.round(IMPOSTOR / STEP).astype(np.int32))
    counter = DistanceCounter()
    counter.add(steps)
    impostor = counter.counted()
    written = ScoredPairs.of(GENUINE, PEOPLE, steps.numpy() * STEP)
    counted = ScoredPairs.counted(GENUINE, PEOPLE, impostor)
    # One by one they are not asked for.
    monkeypatch.setattr(type(impostor), "values", None)
    assert np.array_equal(shares(counted.impostor_counts), shares(written.impostor_counts))
    assert pixels(draw_distances(counted, 1.1)).shape == (440, 460, 3)


def test_the_threshold_is_drawn_with_its_rates() -> None:
    (axes,) = draw_distances(ScoredPairs.of(GENUINE, PEOPLE, IMPOSTOR), 1.1, "Distances of val").axes
    tar, far = (np.float32(1.1) > GENUINE).mean(), (np.float32(1.1) > IMPOSTOR).mean()
    label = f"threshold 1.1: TAR {tar:.3f}, FAR {far:.2g}"
    (line,) = [line for line in axes.lines if line.get_label() == label]
    assert list(line.get_xdata()) == [1.1, 1.1]
    assert [text.split(" at ")[0] for text in axes.get_legend_handles_labels()[1]][-1] == "equal errors"


def test_bounds_stand_behind_the_rates_and_all_words_have_room() -> None:
    ends = {
        "tar_low": 0.0,
        "tar_high": 0.9996,
        "far_low": 1e-5,
        "far_high": 0.123,
        "eer_low": 0.1,
        "eer_high": 0.2,
    }
    figure = draw_distances(ScoredPairs.of(GENUINE, PEOPLE, IMPOSTOR), 1.1, "Distances of val", ends)
    (axes,) = figure.axes
    labels = " ".join(axes.get_legend_handles_labels()[1])
    for told in ("[0.000, 1.000]", "[1e-05, 0.12]", "[0.100, 0.200]"):
        assert told in labels
    assert figure.texts[1].get_text().endswith("impostor pairs; [95% bounds]")
    pixels(figure)
    box = figure.legends[0].get_window_extent(figure.canvas.get_renderer())
    assert 0 <= box.x0 < box.x1 <= 460
    assert 0 <= box.y0 < box.y1 <= axes.xaxis.label.get_window_extent().y0


def test_collapsed_embeddings_are_drawn() -> None:
    pairs = ScoredPairs.of([0, 0], [1, 2], [0, 0, 0])
    assert shares(pairs.impostor_counts)[0] == 1
    assert pixels(draw_distances(pairs, 1.1)).std() > 0
