from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facenet_lit.sources.drawn_face import beard_outline, draw_picture, face_outline
from facenet_lit.sources.face_traits import draw_identity


def generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_picture_is_drawn_from_its_generator_alone():
    face = draw_identity(generator(0))
    first, again, other = (draw_picture(face, generator(seed), 64) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.5


@pytest.mark.parametrize(
    "name", ["face_width", "jaw", "eye_distance", "brow_thickness", "nose_width", "mouth_width", "hairline"]
)
def test_every_shape_shows(name):
    """Each trait, moved within its range under the same circumstances, changes the picture visibly."""
    face = draw_identity(generator(3))
    values = [draw_identity(generator(seed)).traits[name] for seed in range(20)]
    pictures = []
    for value in (min(values), max(values)):
        changed = face._replace(traits={**face.traits, name: value})
        pictures.append(draw_picture(changed, generator(4), 64).astype(int))
    assert (np.abs(pictures[0] - pictures[1]).max(axis=2) > 20).sum() > 10


def test_size_is_a_matter_of_resolution_only():
    """Of the same face and circumstances, the larger picture shrunk is close to the smaller one."""
    face = draw_identity(generator(5))
    small, large = (draw_picture(face, generator(6), size).astype(np.float32) for size in (48, 144))
    shrunk = cv2.resize(large, (48, 48), interpolation=cv2.INTER_AREA)
    # Both blurred a little: noise is drawn per pixel.
    difference = cv2.GaussianBlur(small, (0, 0), 2) - cv2.GaussianBlur(shrunk, (0, 0), 2)
    assert np.abs(difference).mean() < 4


@given(st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_outlines_are_symmetric_and_hold_together(seed):
    traits = draw_identity(generator(seed)).traits
    outline = face_outline(traits)
    mirrored = outline * [-1, 1]
    distances = np.linalg.norm(outline[:, None] - mirrored[None], axis=2)
    assert distances.min(axis=1).max() < 1e-9
    assert outline[:, 1].max() == pytest.approx(traits["face_height"])
    beard = beard_outline(outline, traits["mouth_height"])
    assert beard[:, 1].min() > 0  # below the eyes
    assert np.abs(beard[:, 0]).max() <= np.abs(outline[:, 0]).max() + 1e-9
