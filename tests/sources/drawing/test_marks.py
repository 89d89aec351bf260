from __future__ import annotations

import numpy as np
import pytest
from sitters import changed, picture, sitting

from facenet_lit.sources.drawing.marks import freckles, marks

NONE = {"folds": -0.1, "freckles": -1.0, "mole_size": -0.02, "scar": -1.0, "hair_length": -0.5, "beard": -1.0}
SOME = {"folds": 0.5, "freckles": 0.9, "mole_size": 0.04, "scar": 0.5}
WHERE = {"mole_x": 0.4, "mole_y": 0.3}


@pytest.mark.parametrize("name", sorted(SOME))
def test_each_mark_is_there_from_0_on_and_shows(name):
    assert marks(sitting(0, NONE)) == []
    having = {**NONE, **WHERE, name: SOME[name]}
    assert len(marks(sitting(0, having))) == 1
    assert changed(picture(0, {**NONE, **WHERE}, 96), picture(0, having, 96), by=10) > 5


def test_marks_lie_on_the_head_and_turn_with_it():
    straight, turned = (sitting(0, {**NONE, **WHERE, "mole_size": 0.04}, yaw=yaw) for yaw in (0.0, 0.3))
    mole = marks(straight)[0].points
    np.testing.assert_array_equal(mole, marks(turned)[0].points)
    assert turned.framing.placement(200)(mole).mean() != straight.framing.placement(200)(mole).mean()


def test_freckles_are_the_same_on_both_cheeks():
    spots = freckles(sitting(0, {"freckles": 0.5}))[0].points
    np.testing.assert_allclose(spots[6:], spots[:6] * [-1, 1, 1])
