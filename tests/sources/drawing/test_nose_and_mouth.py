from __future__ import annotations

import numpy as np
import pytest
from sitters import placed, sitting

from facenet_lit.sources.drawing.head import face_outline
from facenet_lit.sources.drawing.nose_and_mouth import mouth, nose

BALL = 4  # the tip, in what nose() gives


def test_a_turn_moves_the_tip_of_a_long_nose_more_than_that_of_a_short_one_and_more_than_the_outline():
    moves = {}
    for length in (0.14, 0.36):
        places = []
        for yaw in (0.0, 0.4):
            sitter = sitting(0, {"nose_height": length}, yaw=yaw)
            outline = sitter.on(face_outline(sitter.traits))
            edge = sitter.framing.placement(200)(outline).mean(axis=0)
            places.append((placed(sitter, nose(sitter)[BALL]).mean(axis=0)[0], edge[0]))
        (tip, edge), (turned_tip, turned_edge) = places
        moves[length] = turned_tip - tip
        assert moves[length] > 3 * abs(turned_edge - edge)
    assert moves[0.36] > moves[0.14] + 3


@pytest.mark.parametrize(("turn", "dark"), [(0.0, -1), (np.pi, 1)])
def test_the_shaded_side_of_the_nose_is_turned_away_from_the_light(turn, dark):
    shaded = nose(sitting(light_turn=turn, light_side=1.0))[0].points
    assert np.sign(shaded[:, 0].mean()) == dark


def test_a_smile_raises_the_corners_against_the_middle():
    def corners(smile: float) -> float:
        x, y = placed(sitter := sitting(smile=smile), mouth(sitter)[2]).T
        return float(y[np.argmax(np.abs(x - 99.5))] - y[np.argmin(np.abs(x - 99.5))])

    assert corners(0.14) < corners(0.0) < corners(-0.03)


def test_an_open_mouth_shows_teeth_and_a_closed_one_does_not():
    closed, opened = mouth(sitting(mouth_open=-0.1)), mouth(sitting(mouth_open=0.1))
    assert len(opened) == len(closed) + 2
    teeth, inside = opened[-1].points, opened[-2].points
    assert teeth[:, 1].max() < inside[:, 1].max()
    assert opened[-1].colour.mean() > 200 > opened[-2].colour.mean() + 100


def test_lips_are_as_wide_and_thick_as_the_traits_say():
    thin, thick = (placed(s := sitting(0, {"lips": lips}), mouth(s)[2]) for lips in (0.035, 0.095))
    assert np.ptp(thick[:, 1]) > np.ptp(thin[:, 1]) + 3
    narrow, wide = (placed(s := sitting(0, {"mouth_width": w}), mouth(s)[2]) for w in (0.18, 0.35))
    assert np.ptp(wide[:, 0]) - np.ptp(narrow[:, 0]) == pytest.approx(0.34 * 70, rel=1e-6)
