from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sitters import changed, picture, placed, sitting

from facenet_lit.sources.drawing.hair import beard, crown, hair_before, hair_behind, hairline, uncovered
from facenet_lit.sources.drawing.skull import ear


def test_a_bald_head_has_no_hair_and_long_hair_hangs_over_the_ears():
    bald, short, long = (sitting(0, {"hair_length": length}) for length in (-0.5, 0.0, 1.2))
    assert hair_behind(bald) == hair_before(bald) == []
    ears = ear(short, 1)
    assert uncovered(short, ears) == ears
    assert uncovered(long, ears) == []
    lowest = [max(placed(s, shape)[:, 1].max() for shape in hair_behind(s)) for s in (short, long)]
    assert lowest[1] > lowest[0] + 10


@given(st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_the_hairline_runs_from_temple_to_temple_with_its_top_at_the_parting(seed):
    traits = sitting(seed, {"fringe": -0.1}).traits
    line = hairline(traits)
    assert (np.diff(line[:, 0]) > 0).all()
    np.testing.assert_allclose(line[[0, -1], 1], traits["eye_height"] - 0.02)
    top = line[np.argmin(line[:, 1])]
    assert top[1] == pytest.approx(traits["hairline"] * traits["face_height"], abs=0.02)
    assert top[0] == pytest.approx(0.6 * traits["parting"] * traits["face_width"], abs=0.05)


def test_a_fringe_hangs_into_the_forehead_but_not_over_the_eyes():
    for seed in range(20):
        without, having = (hairline(sitting(seed, {"fringe": fringe}).traits) for fringe in (-0.1, 0.16))
        assert having[:, 1].mean() > without[:, 1].mean() + 0.02
        assert having[:, 1].max() <= sitting(seed).traits["eye_height"]


def test_volume_and_waves_show_at_the_crown():
    def outline(**traits: float) -> np.ndarray:
        return np.linalg.norm(crown(sitting(0, {"hair_waves": -1.0, **traits})), axis=1)

    assert (outline(hair_volume=0.26) > outline(hair_volume=0.03)).all()
    smooth, waved = outline(), outline(hair_waves=0.08)
    assert (waved >= smooth).all()
    assert (np.diff(np.sign(np.diff(waved - smooth))) != 0).sum() >= 14  # nine waves go up and down


def test_the_far_lock_hangs_behind_the_face_and_the_near_one_before_it():
    sitter = sitting(0, {"hair_length": 1.0}, yaw=0.4)
    assert np.sign(hair_behind(sitter)[-1].points[:, 0].mean()) == -sitter.near
    assert np.sign(hair_before(sitter)[-1].points[:, 0].mean()) == sitter.near


def test_beard_and_moustache_are_there_from_0_on_below_and_above_the_mouth():
    shaven = {"beard": -0.1, "moustache": -0.1, "hair_length": -0.5}
    assert beard(sitting(0, shaven)) == []
    for name in ("beard", "moustache"):
        sitter = sitting(0, {**shaven, name: 0.8})
        (shape,) = beard(sitter)
        below = shape.points[:, 1].mean() > sitter.mouth
        assert below == (name == "beard")
        assert changed(picture(0, shaven), picture(0, {**shaven, name: 0.8})) > 20


def test_a_full_beard_reaches_farther_than_a_goatee():
    goatee, full = (
        beard(sitting(0, {"beard": 0.5, "moustache": -1.0, "beard_width": wide}))[0].points
        for wide in (0.35, 1.0)
    )
    assert np.ptp(full[:, 0]) > 1.8 * np.ptp(goatee[:, 0])
    assert full[:, 1].min() < goatee[:, 1].min()
