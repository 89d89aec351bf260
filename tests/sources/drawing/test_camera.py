from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sitters import PLAIN, generator, sitting

from facenet_lit.sources.drawing.camera import cast_shadow, compressed, developed, photograph, shading, taken

GREY = np.full((40, 40, 3), 120, np.float32)


@given(st.floats(-3.1, 3.1), st.floats(0.3, 1.25))
@settings(max_examples=30, deadline=None)
def test_shading_is_brightest_where_the_light_comes_from(turn, side):
    """By Lambert's law: of the points of a sphere, the one whose normal is the light's direction."""
    sitter = sitting(light_turn=turn, light_side=side, light_hardness=0.5)
    shaded = shading(sitter, 200)
    y, x = np.unravel_index(np.argmax(shaded), shaded.shape)
    expected = sitter.light()[:2] * [0.95, 1.25] * 0.7
    np.testing.assert_allclose((np.array([x, y]) + 0.5) / 100 - 1, expected, atol=0.06)
    assert shaded.max() == pytest.approx(1 - 0.5 + 0.5 * 1.25, abs=0.01)
    assert shaded.min() >= 0.5 - 1e-6


def test_soft_light_does_not_model():
    np.testing.assert_allclose(shading(sitting(light_hardness=0.0), 32), 1)


def test_a_cast_shadow_darkens_one_side_and_leaves_the_other():
    shadow = cast_shadow(sitting(shadow=0.4, shadow_turn=0.0, shadow_place=0.0, shadow_edge=0.2), 64)
    np.testing.assert_allclose(shadow[:, :20], 1)
    np.testing.assert_allclose(shadow[:, -20:], 0.6, rtol=1e-6)
    assert (np.diff(shadow[0]) <= 0).all()


def test_light_falls_on_what_is_lit_alone():
    canvas = np.full((64, 64, 4), 100, np.uint8)
    canvas[:, :32, 3], canvas[:, 32:, 3] = 0, 255
    sitter = sitting(light_hardness=0.5, light_side=1.2, light_turn=0.0)
    picture = photograph(canvas, sitter, generator(0), 32).astype(float)
    np.testing.assert_allclose(picture[:, :12], 100, atol=4)
    assert np.ptp(picture[:, 20:]) > 20


def test_developing_is_the_product_of_gains_saturation_and_contrast():
    now = {
        **PLAIN,
        "light_warmth": 0.1,
        "light_green": -0.05,
        "exposure": 1.2,
        "saturation": 0.5,
        "contrast": 0.9,
    }
    pixel = np.array([200.0, 100.0, 50.0])
    lit = pixel * 1.2 * np.exp([0.1, -0.05, -0.1])
    expected = 120 + 0.9 * (lit.mean() + 0.5 * (lit - lit.mean()) - 120)
    np.testing.assert_allclose(
        developed(pixel[None, None].astype(np.float32), now)[0, 0], expected, rtol=1e-5
    )


def test_noise_is_as_strong_as_asked():
    # JPEG at 100 leaves nearly everything of the brightness, though not of the colours.
    picture = taken(GREY.copy(), {**PLAIN, "noise": 6.0, "jpeg": 100.0}, generator(0))
    assert picture.astype(float).mean(axis=2).std() == pytest.approx(6.0 / np.sqrt(3), rel=0.2)
    still = taken(GREY.copy(), {**PLAIN, "jpeg": 100.0}, generator(0))
    assert still.astype(float).std() < 1


def test_blur_spreads_a_point_by_a_share_of_the_side():
    point = np.zeros((101, 101, 3), np.float32)
    point[50, 50] = 20000
    blurred = taken(point, {**PLAIN, "blur": 0.03, "jpeg": 100.0}, generator(0)).astype(float).mean(axis=2)
    across = blurred.sum(axis=0)
    variance = (across * (np.arange(101) - 50) ** 2).sum() / across.sum()
    assert np.sqrt(variance) == pytest.approx(3.0, rel=0.15)


def test_compression_loses_more_at_a_lower_quality():
    picture = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    losses = [np.abs(compressed(picture, quality).astype(int) - picture).mean() for quality in (45, 70, 96)]
    assert losses == sorted(losses, reverse=True)
    flat = np.full((48, 48, 3), (200, 40, 90), np.uint8)
    assert np.abs(compressed(flat, 90).astype(int) - flat).max() <= 3  # channels keep their order
