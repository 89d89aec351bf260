import numpy as np
import pytest

from facenet_lit.callbacks.verification_plots import VerificationPlots, draw_roc
from facenet_lit.errors import UserError
from facenet_lit.metrics.scored_pairs import ScoredPairs


def scored() -> ScoredPairs:
    rng = np.random.default_rng(0)
    return ScoredPairs.of(rng.normal(0.7, 0.2, 300), np.arange(300) % 20, rng.normal(1.3, 0.2, 5000))


def test_both_curves_go_from_corner_to_corner() -> None:
    figure = draw_roc(scored(), points=100)
    (axes,) = figure.axes
    labels = [line.get_label() for line in axes.lines]
    assert labels == ["over pairs", "balanced", "by chance"]
    for line in axes.lines[:2]:
        far, tar = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        assert len(far) <= 100
        assert (far[0], tar[0], far[-1], tar[-1]) == (0, 0, 1, 1)
        assert (np.diff(far) >= 0).all()
        assert (np.diff(tar) >= 0).all()
    assert axes.get_xscale() == "log"
    assert axes.get_xlim() == (1 / 5000, 1)
    assert "300 genuine, 5,000 impostor pairs" in axes.get_title()


def test_the_picture_is_not_blank() -> None:
    figure = draw_roc(scored())
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())
    assert pixels.shape == (400, 500, 4)
    assert len(np.unique(pixels[..., :3].reshape(-1, 3), axis=0)) > 50


def test_a_curve_has_more_than_its_corners() -> None:
    assert VerificationPlots(3).points == 3
    with pytest.raises(UserError, match=r"callbacks\.roc\.points=2: expected an integer of 3 or more"):
        VerificationPlots(2)
    assert len(draw_roc(scored(), points=3).axes[0].lines[0].get_xdata()) == 3
