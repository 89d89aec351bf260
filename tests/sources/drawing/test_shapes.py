from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.sources.drawing.shapes import (
    CIRCLE,
    FINE_CIRCLE,
    along,
    band,
    ellipse,
    mix,
    moved,
    pair,
    ring,
    rotated,
)


def area(polygon: np.ndarray) -> float:
    return float(cv2.contourArea(polygon.astype(np.float32)))


@given(st.floats(-7, 7), st.floats(0.01, 2), st.floats(0.01, 2))
def test_ellipse_keeps_its_equation_when_rotated(angle, width, height):
    back = rotated(moved(ellipse(0.3, -0.2, width, height, angle), -0.3, 0.2), -angle)
    np.testing.assert_allclose((back[:, 0] / width) ** 2 + (back[:, 1] / height) ** 2, 1)


@pytest.mark.parametrize("circle", [CIRCLE, FINE_CIRCLE])
def test_circles_run_from_the_right_through_the_bottom(circle):
    quarter = len(circle) // 4
    np.testing.assert_allclose(circle[::quarter], [[1, 0], [0, 1], [-1, 0], [0, -1]], atol=1e-12)


def test_mix_and_along():
    np.testing.assert_allclose(mix((0, 100, 200), (100, 100, 0), 0.25), [25, 100, 150])
    palette = np.array([[0.0, 10, 20], [30, 10, 0], [90, 90, 90]])
    for share in np.linspace(0, 1, 9):
        expected = [np.interp(share, [0, 0.5, 1], channel) for channel in palette.T]
        np.testing.assert_allclose(along(palette, share), expected)


def test_band_goes_there_on_top_and_back_below():
    x = np.array([0.0, 1.0])
    np.testing.assert_array_equal(band(x, x, x + 5), [[0, 0], [1, 1], [1, 6], [0, 5]])


def test_ring_is_what_is_between_two_circles():
    outer = ellipse(2, 1, 1, 1)
    assert area(ring(outer, 0.25)) == pytest.approx(area(outer) * (1 - 0.75**2), rel=1e-6)


def test_pair_mirrors_and_leaves_its_argument_alone():
    right = ellipse(0.5, 0.1, 0.2, 0.1)
    before = right.copy()
    both = pair(right)
    np.testing.assert_array_equal(both[0], before)
    np.testing.assert_array_equal(both[1], before * [-1, 1])
    np.testing.assert_array_equal(right, before)
