from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sitters import generator, picture, placed, sitting

from facenet_lit.sources.drawing.head import face_seen
from facenet_lit.sources.drawing.nose_and_mouth import nose
from facenet_lit.sources.drawing.portrait import draw_picture, shapes_of
from facenet_lit.sources.drawing.traits import draw_identity


def test_a_picture_is_drawn_from_its_generator_alone():
    face = draw_identity(generator(0))
    first, again, other = (draw_picture(face, generator(seed), 64) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.5


@pytest.mark.parametrize("turn", ["yaw", "pitch"])
def test_a_turn_moves_the_nose_against_the_outline(turn):
    tips, edges = [], []
    for angle in (-0.2, 0.2):
        sitter = sitting(**{turn: angle})
        tips.append(placed(sitter, nose(sitter)[4]).mean(axis=0))
        edge = sitter.framing.placement(200)(face_seen(sitter.traits, sitter.looked))
        edges.append((edge.min(axis=0) + edge.max(axis=0)) / 2)
    axis = 0 if turn == "yaw" else 1
    assert (tips[1] - tips[0])[axis] > 15
    assert (tips[1] - tips[0])[axis] > 2 * abs((edges[1] - edges[0])[axis])


def test_size_is_a_matter_of_resolution_only():
    """Of the same face and circumstances, the larger picture shrunk is close to the smaller one."""
    face = draw_identity(generator(5))
    small, large = (draw_picture(face, generator(6), size).astype(np.float32) for size in (48, 144))
    shrunk = cv2.resize(large, (48, 48), interpolation=cv2.INTER_AREA)
    # Both blurred a little: noise is drawn per pixel, and JPEG works on blocks.
    difference = cv2.GaussianBlur(small, (0, 0), 2) - cv2.GaussianBlur(shrunk, (0, 0), 2)
    assert np.abs(difference).mean() < 4


@given(st.integers(0, 10_000), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_every_head_is_painted_from_finite_points_in_sane_colours(identity, image):
    face = draw_identity(generator(identity))
    drawn = draw_picture(face, generator(image), 24)
    assert drawn.shape == (24, 24, 3)
    assert drawn.dtype == np.uint8
    assert drawn.astype(float).std() > 2
    for shape in shapes_of(sitting(identity)):
        assert np.isfinite(shape.points).all()
        assert np.abs(shape.points).max() < 4
        assert shape.colour.min() > -30
        assert 0 <= shape.lit <= 1


def test_pictures_are_neither_black_nor_white():
    means = [
        draw_picture(draw_identity(generator(seed)), generator(seed + 1000), 32).mean() for seed in range(200)
    ]
    assert min(means) > 30
    assert max(means) < 240
    assert np.std(means) > 15  # and differ in exposure


def test_what_comes_before_the_face_is_painted_last():
    plain, covered = picture(), picture(cover=0.01)
    rows = np.abs(plain.astype(int) - covered).max(axis=(1, 2)) > 30
    assert rows[:15].any()
    assert not rows[50:].any()
