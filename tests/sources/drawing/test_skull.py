from __future__ import annotations

import numpy as np
import pytest
from sitters import changed, picture, placed, sitting

from facenet_lit.sources.drawing.skull import ear, face, neck, skull_radii

BARE = {"hair_length": -0.5}


def inside_face(sitter, side: int) -> float:
    """Share of an ear's points that the face hides, as the face is convex and seen as its second shape."""
    import cv2

    hull = placed(sitter, face(sitter)[1]).astype(np.float32)
    points = placed(sitter, ear(sitter, side)[0])
    return float(np.mean([cv2.pointPolygonTest(hull, tuple(map(float, p)), False) > 0 for p in points]))


def test_ears_stand_out_equally_from_the_front_and_the_far_one_vanishes_in_a_turn():
    straight, turned = sitting(yaw=0.0), sitting(yaw=0.5)
    assert inside_face(straight, 1) == pytest.approx(inside_face(straight, -1))
    assert inside_face(turned, 1) > 0.9  # behind the cheek; it is painted before the face
    assert np.ptp(placed(turned, ear(turned, -1)[0])[:, 0]) > np.ptp(
        placed(straight, ear(straight, -1)[0])[:, 0]
    )


def test_ears_mirror_each_other():
    sitter = sitting()
    for right, left in zip(ear(sitter, 1), ear(sitter, -1), strict=True):
        np.testing.assert_allclose(right.points * [-1, 1, 1], left.points)


def test_the_face_covers_the_skull_below_the_forehead_and_the_neck_begins_behind_it():
    sitter = sitting(3)
    skull, skin = (placed(sitter, shape) for shape in face(sitter)[:2])
    assert skull[:, 1].min() <= skin[:, 1].min() + 2
    assert (
        placed(sitter, neck(sitter)[0])[:, 1].min()
        < skin[:, 1].max()
        < placed(sitter, neck(sitter)[0])[:, 1].max()
    )


def test_the_skull_is_nearly_as_wide_as_the_face():
    traits = sitting(1).traits
    assert skull_radii(traits)[0] == pytest.approx(traits["face_width"], rel=0.05)


def test_blushing_shows():
    assert changed(picture(0, {**BARE, "blush": 0.0}), picture(0, {**BARE, "blush": 0.3}), by=8) > 30
