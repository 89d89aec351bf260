from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sitters import placed, sitting

from facenet_lit.sources.drawing.eyes import brows, eyes

WHITES, IRIS, PUPIL = 2, 3, 4  # places in what eyes() gives


def width(polygon: np.ndarray) -> float:
    return float(np.ptp(polygon.reshape(-1, polygon.shape[-1])[:, 0]))


def test_the_far_eye_is_seen_narrower_than_the_near_one():
    sitter = sitting(yaw=0.5)  # the right side of the picture is far
    whites = sitter.framing.placement(200)(eyes(sitter)[WHITES].points)
    assert width(whites[0]) < 0.8 * width(whites[1])
    straight = sitting(yaw=0.0)
    whites = straight.framing.placement(200)(eyes(straight)[WHITES].points)
    np.testing.assert_allclose(width(whites[0]), width(whites[1]))


@given(st.integers(0, 500), st.floats(-0.4, 0.4), st.floats(0.6, 1.1))
@settings(max_examples=40, deadline=None)
def test_irises_stay_between_the_lids(seed, gaze, eyes_open):
    sitter = sitting(seed, gaze=gaze, eyes_open=eyes_open)
    shapes = eyes(sitter)
    for part in (IRIS, PUPIL):
        for eye, disc in zip(shapes[WHITES].points, shapes[part].points, strict=True):
            assert (disc[:, :2].min(axis=0) >= eye[:, :2].min(axis=0) - 0.005).all()
            assert (disc[:, :2].max(axis=0) <= eye[:, :2].max(axis=0) + 0.005).all()


def test_both_irises_look_the_same_way():
    left, right = (eyes(sitting(gaze=gaze))[IRIS].points.mean(axis=1)[:, 0] for gaze in (-0.3, 0.3))
    assert (left < right).all()


def test_open_eyes_are_higher_and_raised_brows_too():
    for name, low, high, shapes, sign in (
        ("eyes_open", 0.6, 1.1, lambda s: eyes(s)[WHITES], 1),
        ("brow_raise", -0.03, 0.06, lambda s: brows(s)[0], -1),
    ):
        few, many = (sitting(**{name: value}) for value in (low, high))
        before, after = placed(few, shapes(few)), placed(many, shapes(many))
        if sign > 0:
            assert np.ptp(after[:, 1]) > 1.3 * np.ptp(before[:, 1])
        else:
            assert after[:, 1].mean() < before[:, 1].mean() - 3


def test_brows_are_above_the_eyes():
    for seed in range(20):
        sitter = sitting(seed)
        assert brows(sitter)[0].points[..., 1].mean() < eyes(sitter)[WHITES].points[..., 1].min()
