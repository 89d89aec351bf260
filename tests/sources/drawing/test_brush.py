from __future__ import annotations

import numpy as np
import pytest

from facenet_lit.sources.drawing.brush import Framing, Shape, paint
from facenet_lit.sources.drawing.head import PIVOT, seen, view
from facenet_lit.sources.drawing.shapes import ellipse, rotated

WHITE = np.full(3, 255.0)
STRAIGHT = Framing(view(0, 0), 0.0, 0.5, np.zeros(2))


def painted(*shapes: Shape, framing: Framing = STRAIGHT, side: int = 128) -> np.ndarray:
    canvas = np.zeros((side, side, 4), np.uint8)
    paint(canvas, shapes, framing)
    return canvas


def centre(canvas: np.ndarray) -> np.ndarray:
    weights = canvas[:, :, 0].astype(float)
    y, x = np.mgrid[: len(weights), : len(weights)]
    return np.array([(weights * x).sum(), (weights * y).sum()]) / weights.sum()


def test_a_circle_is_painted_where_and_as_large_as_asked():
    canvas = painted(Shape(ellipse(0, 0, 0.5, 0.5), WHITE))
    assert canvas[:, :, 0].sum() / 255 == pytest.approx(np.pi * 16**2, rel=0.1)
    np.testing.assert_allclose(centre(canvas), 63.5, atol=0.6)
    assert len(np.unique(canvas)) > 2  # smooth edges


def test_framing_rolls_scales_and_shifts():
    framing = Framing(view(0, 0), np.pi / 2, 0.5, np.array([0.25, -0.25]))
    canvas = painted(Shape(ellipse(0.5, 0, 0.2, 0.2), WHITE), framing=framing)
    np.testing.assert_allclose(centre(canvas) - 63.5, [16, -16 + 16], atol=0.6)


def test_solid_and_seen_points_fall_on_the_same_pixels():
    framing = Framing(view(0.4, -0.2), 0.3, 0.7, np.array([0.1, -0.05]))
    points = np.random.default_rng(0).uniform(-1, 1, (2, 5, 3))
    place = framing.placement(90)
    flat = seen(points, framing.looked)
    np.testing.assert_allclose(place(points), place(flat), atol=1e-9)
    np.testing.assert_allclose(place(flat), (rotated(flat, 0.3) * 0.7 + framing.centre + 1) * 45 - 0.5)
    np.testing.assert_allclose(place(np.array([0, 0, PIVOT])), (framing.centre + 1) * 45 - 0.5)


def test_later_shapes_cover_earlier_ones_and_say_how_far_they_are_lit():
    large, small = ellipse(0, 0, 1, 1), ellipse(0, 0, 0.4, 0.4)
    canvas = painted(Shape(large, np.array([10.0, 20, 30])), Shape(small, np.array([40.0, 50, 60]), 0.4))
    assert canvas[64, 64].tolist() == [40, 50, 60, 102]
    assert canvas[64, 40].tolist() == [10, 20, 30, 255]
    assert canvas[1, 1].tolist() == [0, 0, 0, 0]


def test_several_polygons_are_one_shape():
    canvas = painted(Shape(np.stack([ellipse(x, 0, 0.2, 0.2) for x in (-0.8, 0.8)]), WHITE))
    assert canvas[64, [38, 64, 89], 0].tolist() == [255, 0, 255]


def test_colours_outside_the_range_are_clipped():
    canvas = painted(Shape(ellipse(0, 0, 9, 9), np.array([300.0, -5.0, 7.0])), side=16)
    assert canvas[8, 8].tolist() == [255, 0, 7, 255]
