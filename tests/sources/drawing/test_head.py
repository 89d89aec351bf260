from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sitters import face

from facenet_lit.sources.drawing.head import (
    PIVOT,
    ellipsoid_seen,
    face_outline,
    face_seen,
    on_face,
    seen,
    view,
)

angles = st.floats(-0.7, 0.7)


def far(points: np.ndarray, direction: np.ndarray) -> float:
    return float((points @ direction).max())


@given(angles, angles)
def test_a_view_is_what_a_rotation_leaves_of_three_coordinates(yaw, pitch):
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    np.testing.assert_allclose(view(yaw, pitch), (about_x @ about_y)[:2], atol=1e-12)


def test_positive_angles_turn_the_nose_right_and_down_about_the_pivot():
    nose, pivot = np.array([0, 0, 1.0]), np.array([0, 0, PIVOT])
    np.testing.assert_allclose(seen(nose, view(0, 0)), [0, 0])
    assert seen(nose, view(0.3, 0))[0] > 0.2
    assert seen(nose, view(0, 0.3))[1] > 0.2
    np.testing.assert_allclose(seen(pivot, view(0.3, -0.2)), [0, 0], atol=1e-12)


@given(st.integers(0, 100), angles, angles)
@settings(max_examples=30, deadline=None)
def test_an_ellipsoids_outline_is_as_far_out_as_its_surface(seed, yaw, pitch):
    rng = np.random.default_rng(seed)
    radii, centre, looked = rng.uniform(0.3, 1.2, 3), rng.uniform(-0.3, 0.3, 3), view(yaw, pitch)
    sphere = rng.standard_normal((20000, 3))
    surface = seen(centre + radii * sphere / np.linalg.norm(sphere, axis=1, keepdims=True), looked)
    outline = ellipsoid_seen(centre, radii, looked)
    for angle in np.linspace(0, 2 * np.pi, 7):
        direction = np.array([np.cos(angle), np.sin(angle)])
        assert far(outline, direction) == pytest.approx(far(surface, direction), abs=0.02)


@given(st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_a_face_is_symmetric_and_as_large_as_its_traits_say(seed):
    traits = face(seed).traits
    outline = face_outline(traits)
    distances = np.linalg.norm(outline[:, None] - (outline * [-1, 1])[None], axis=2)
    assert distances.min(axis=1).max() < 1e-9
    assert outline[:, 1].max() == pytest.approx(traits["face_height"])
    assert outline[:, 0].max() == pytest.approx(traits["face_width"])


def test_a_high_jaw_is_square():
    round_jaw, square_jaw = (face_outline(face(0, jaw=jaw).traits) for jaw in (1.7, 3.6))
    lower = (round_jaw[:, 1] > 0.3) & (round_jaw[:, 1] < 0.9)
    assert (np.abs(square_jaw[lower, 0]) > np.abs(round_jaw[lower, 0])).all()


@given(st.integers(0, 1000), angles, angles)
@settings(max_examples=50, deadline=None)
def test_what_is_seen_of_a_face_holds_its_outline(seed, yaw, pitch):
    traits, looked = face(seed).traits, view(yaw, pitch)
    hull = face_seen(traits, looked)
    outline = seen(on_face(traits, face_outline(traits)), looked)
    for angle in np.linspace(0, 2 * np.pi, 9):
        direction = np.array([np.cos(angle), np.sin(angle)])
        assert far(hull, direction) >= far(outline, direction) - 1e-6


def test_the_front_is_nearest_in_its_middle_and_lift_comes_on_top():
    traits = face(1).traits
    points = np.array([[[0.0, 0.0], [0.4, 0.0]], [[0.0, 0.5], [0.4, 0.5]]])
    plain, lifted = on_face(traits, points), on_face(traits, points, 0.2)
    np.testing.assert_array_equal(plain[..., :2], points)
    np.testing.assert_allclose(lifted[..., 2] - plain[..., 2], 0.2)
    assert plain[0, 0, 2] == pytest.approx(traits["face_depth"])
    assert (plain[..., 2].ravel()[1:] < plain[0, 0, 2]).all()
