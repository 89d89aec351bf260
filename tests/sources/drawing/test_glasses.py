from __future__ import annotations

import numpy as np
import pytest
from sitters import changed, picture, sitting

from facenet_lit.sources.drawing.glasses import glasses


def test_there_are_none_up_to_0_and_dark_ones_have_lenses():
    assert glasses(sitting(glasses=0.0)) == []
    clear, dark = glasses(sitting(glasses=0.1)), glasses(sitting(glasses=0.1, glasses_dark=0.1))
    assert len(dark) == len(clear) + 1
    assert changed(picture(glasses=-1), picture(glasses=0.1)) > 20
    assert changed(picture(glasses=0.1), picture(glasses=0.1, glasses_dark=0.1)) > 20


@pytest.mark.parametrize("seed", range(10))
def test_lenses_are_before_the_eyes_and_apart(seed):
    sitter = sitting(seed, glasses=0.1, glasses_dark=0.1, glasses_size=0.25, glasses_round=5.0)
    right, left = glasses(sitter)[1].points
    assert right[:, 0].min() > 0 > left[:, 0].max()
    eye = np.array([sitter.traits["eye_distance"], sitter.traits["eye_height"]])
    assert (right[:, :2].min(axis=0) < eye).all()
    assert (right[:, :2].max(axis=0) > eye).all()


def test_a_high_power_makes_boxes_of_circles():
    def filled(power: float) -> float:
        right = glasses(sitting(glasses=0.1, glasses_dark=0.1, glasses_round=power))[1].points[0, :, :2]
        x, y = right.T
        area = 0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))
        return float(area / np.prod(np.ptp(right, axis=0)))

    assert filled(2.0) == pytest.approx(np.pi / 4, abs=0.01)
    assert filled(5.0) > 0.93
