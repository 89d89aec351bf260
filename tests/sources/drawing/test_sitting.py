from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sitters import sitting

from facenet_lit.sources.drawing.head import view


@given(st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_features_are_in_their_order_from_brow_to_chin(seed):
    sitter = sitting(seed)
    traits = sitter.traits
    heights = [traits["eye_height"] - traits["brow_gap"], traits["eye_height"], sitter.tip, sitter.mouth]
    heights.append(sitter.mouth + 1.1 * traits["lips"])
    heights.append(traits["face_height"])
    assert heights == sorted(heights)
    assert traits["hairline"] * traits["face_height"] < heights[0]


def test_framing_is_of_the_circumstances():
    sitter = sitting(yaw=0.3, pitch=-0.1, roll=0.2, scale=0.66, shift_x=0.05, shift_y=-0.07)
    framing = sitter.framing
    np.testing.assert_array_equal(framing.looked, view(0.3, -0.1))
    assert (framing.roll, framing.scale, framing.centre.tolist()) == (0.2, 0.66, [0.05, -0.07])


@pytest.mark.parametrize(("yaw", "near"), [(0.3, -1), (-0.3, 1)])
def test_the_near_side_is_the_one_turned_to_the_viewer(yaw, near):
    sitter = sitting(yaw=yaw)
    assert sitter.near == near
    # By the depth of the two ears after the turn, which is the third row of the rotation.
    depth = {side: -side * sitter.traits["face_width"] * np.sin(yaw) for side in (-1, 1)}
    assert depth[near] > depth[-near]


@given(st.floats(-3, 3), st.floats(0.1, 1.25))
def test_light_is_a_direction_from_before_the_head(turn, side):
    light = sitting(light_turn=turn, light_side=side).light()
    assert np.linalg.norm(light) == pytest.approx(1)
    assert light[2] > 0
