from __future__ import annotations

import numpy as np
import pytest
from sitters import changed, circumstances, face, generator, picture

from facenet_lit.sources.drawing.circumstances import draw_circumstances, muted
from facenet_lit.sources.drawing.portrait import draw_picture, picture_of
from facenet_lit.sources.drawing.traits import draw_identity

SEEN_BY = {
    "yaw": (-0.5, 0.5), "pitch": (-0.2, 0.2), "roll": (-0.2, 0.2), "scale": (0.62, 0.78), "shift_x": (-0.1, 0.1),
    "shift_y": (-0.1, 0.1), "smile": (-0.03, 0.14), "mouth_open": (-0.1, 0.12), "eyes_open": (0.6, 1.1),
    "brow_raise": (-0.03, 0.06), "frown": (-0.12, 0.12), "gaze": (-0.4, 0.4), "light_warmth": (-0.16, 0.16),
    "light_green": (-0.06, 0.06), "exposure": (0.9, 1.3), "shadow": (-0.5, 0.45), "glasses": (-0.5, 0.2),
    "cover": (0.01, 0.99), "contrast": (0.85, 1.25), "saturation": (0.5, 1.3), "scene": (0.05, 0.95),
    "blur": (-0.01, 0.014), "noise": (-1.0, 7.0), "jpeg": (45.0, 96.0), "light_hardness": (0.0, 0.5),
}  # fmt: skip
WITH = {
    "light_turn": (-2.0, 2.0, {"light_hardness": 0.5, "light_side": 1.0}),
    "light_side": (0.1, 1.25, {"light_hardness": 0.5}),
    "shadow_turn": (-2.0, 2.0, {"shadow": 0.4}),
    "shadow_place": (-0.35, 0.35, {"shadow": 0.4}),
    "shadow_edge": (0.05, 0.3, {"shadow": 0.4}),
    "glasses_size": (0.19, 0.25, {"glasses": 0.2}),
    "glasses_round": (2.0, 5.0, {"glasses": 0.2}),
    "glasses_dark": (-0.7, 0.3, {"glasses": 0.2}),
    "cover_side": (-1.0, 1.0, {"cover": 0.065}),
    "cover_place": (0.0, 1.0, {"cover": 0.01}),
}


@pytest.mark.parametrize("name", sorted(draw_circumstances(generator(0)).values))
def test_every_circumstance_changes_the_picture(name):
    low, high, others = WITH[name] if name in WITH else (*SEEN_BY[name], {})
    pictures = [picture(3, **{**others, name: value}) for value in (low, high)]
    assert changed(*pictures, by=6) > 8


def test_colours_of_surroundings_change_the_picture():
    plain = circumstances(glasses=0.2, cover=0.01)
    before = picture_of(face(3), plain, generator(0), 64)
    for name in ("palette", "pattern", "clothes", "cover", "frame"):
        other = plain._replace(**{name: getattr(draw_circumstances(generator(9)), name)})
        assert changed(before, picture_of(face(3), other, generator(0), 64)) > 8


def test_they_are_drawn_before_anybody_is_known():
    """Two identities with generators of one seed get the same circumstances, to the last number drawn."""
    ends = []
    for seed in (0, 1):
        rng = generator(5)
        draw_picture(draw_identity(generator(seed)), rng, 32)
        ends.append(rng.random())
    assert ends[0] == ends[1]
    first, second = draw_circumstances(generator(5)), draw_circumstances(generator(5))
    assert first.values == second.values
    assert first.values.keys().isdisjoint(draw_identity(generator(0)).traits)


def test_circumstances_vary_independently():
    table = np.array([list(draw_circumstances(generator(seed)).values.values()) for seed in range(400)])
    correlations = np.corrcoef(table.T) - np.eye(table.shape[1])
    assert np.abs(correlations).max() < 0.3  # 6 standard errors


def test_muted_colours_keep_their_brightness():
    colours = np.random.default_rng(0).uniform(0, 255, (5, 3))
    np.testing.assert_allclose(muted(colours).mean(axis=1), colours.mean(axis=1))
    assert (np.ptp(muted(colours), axis=1) < np.ptp(colours, axis=1)).all()
