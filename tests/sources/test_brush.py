from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.sources.brush import CIRCLE, Brush, band, ellipse, mix, moved, muted, rotated

WHITE = np.full(3, 255.0)
STILL = {"scale": 0.5, "roll": 0.0, "shift_x": 0.0, "shift_y": -0.06, "turn": 0.0}  # centred


def covered(brush: Brush) -> float:
    """Pixels of the canvas that were painted white, parts counted."""
    return float(brush.canvas.astype(float).mean(axis=2).sum() / 255)


def centre(brush: Brush) -> np.ndarray:
    weights = brush.canvas.astype(float).mean(axis=2)
    y, x = np.mgrid[: len(weights), : len(weights)]
    return np.array([(weights * x).sum(), (weights * y).sum()]) / weights.sum()


def test_a_circle_is_painted_where_and_as_large_as_asked():
    brush = Brush(np.zeros(3), STILL, 64)
    brush.fill(ellipse(0, 0, 0.5, 0.5), WHITE)
    assert covered(brush) == pytest.approx(np.pi * 16**2, rel=0.1)  # the canvas is twice the size
    np.testing.assert_allclose(centre(brush), 63.5, atol=0.6)


@pytest.mark.parametrize(("turned", "expected"), [(True, 6.4), (False, 0.0)])
def test_only_turned_parts_move_with_the_head(turned, expected):
    brush = Brush(np.zeros(3), {**STILL, "turn": 0.2}, 64)
    brush.fill(ellipse(0, 0, 0.3, 0.3), WHITE, turned)
    np.testing.assert_allclose(centre(brush) - 63.5, [expected, 0], atol=0.6)


def test_roll_turns_the_face_on_the_canvas():
    brush = Brush(np.zeros(3), {**STILL, "roll": np.pi / 2}, 64)
    brush.fill(ellipse(0.5, 0, 0.2, 0.2), WHITE)
    np.testing.assert_allclose(centre(brush) - 63.5, [0, 16], atol=0.6)


def test_stroke_is_as_thick_as_asked_and_edges_are_smooth():
    brush = Brush(np.zeros(3), STILL, 64)
    brush.stroke(np.array([[-0.5, 0.013], [0.5, 0.027]]), 0.2, WHITE)
    across = brush.canvas[:, 64, 0].astype(float).sum() / 255
    assert 5 <= across <= 8.5  # 6.4, in whole pixels, and OpenCV's smooth edges
    assert len(np.unique(brush.canvas)) > 2


def test_colours_outside_the_range_are_clipped():
    brush = Brush(np.zeros(3), STILL, 16)
    brush.fill(ellipse(0, 0, 9, 9), np.array([300.0, -5.0, 7.0]))
    assert brush.canvas[16, 16].tolist() == [255, 0, 7]


@given(st.floats(-7, 7), st.floats(0.01, 2), st.floats(0.01, 2))
def test_ellipse_keeps_its_equation_when_rotated(angle, width, height):
    back = rotated(moved(ellipse(0.3, -0.2, width, height, angle), -0.3, 0.2), -angle)
    np.testing.assert_allclose((back[:, 0] / width) ** 2 + (back[:, 1] / height) ** 2, 1)


def test_circle_runs_from_the_right_through_the_bottom():
    np.testing.assert_allclose(CIRCLE[[0, 12, 24, 36]], [[1, 0], [0, 1], [-1, 0], [0, -1]], atol=1e-12)


def test_mix_and_muted():
    np.testing.assert_allclose(mix((0, 100, 200), (100, 100, 0), 0.25), [25, 100, 150])
    colour = np.array([10.0, 60.0, 200.0])
    assert muted(colour).mean() == pytest.approx(colour.mean())
    assert np.ptp(muted(colour)) < np.ptp(colour)


def test_band_goes_there_on_top_and_back_below():
    x = np.array([0.0, 1.0])
    np.testing.assert_array_equal(band(x, x, x + 5), [[0, 0], [1, 1], [1, 6], [0, 5]])
