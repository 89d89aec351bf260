from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from sitters import changed, generator, picture, placed, sitting

from facenet_lit.sources.drawing import covers
from facenet_lit.sources.drawing.circumstances import draw_circumstances

KINDS = {"cap": 0.01, "scarf": 0.03, "microphone": 0.04, "hand": 0.055, "leaves": 0.065}  # a value of "cover"


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_chosen_by_its_share_and_shows(kind):
    sitter = sitting(cover=KINDS[kind])
    chosen, direct = covers.cover(sitter), getattr(covers, kind)(sitter)
    assert len(chosen) == len(direct) > 0
    for one, other in zip(chosen, direct, strict=True):
        np.testing.assert_array_equal(one.points, other.points)
    assert changed(picture(cover=0.99), picture(cover=KINDS[kind])) > 60


def test_about_a_fourteenth_of_the_pictures_have_one():
    values = [draw_circumstances(generator(seed)).values["cover"] for seed in range(1000)]
    counts = Counter(bool(covers.cover(sitting(cover=value))) for value in values)
    assert 0.038 < counts[True] / 1000 < 0.102  # 0.07, four standard errors


@pytest.mark.parametrize("place", [0.0, 1.0])
def test_each_hides_the_part_it_is_for(place):
    def middle(kind: str) -> float:
        sitter = sitting(cover_place=place)
        return float(
            np.concatenate([placed(sitter, shape) for shape in getattr(covers, kind)(sitter)])[:, 1].mean()
        )

    assert middle("cap") < 60  # of 200, the forehead and above
    assert middle("scarf") > 140


@pytest.mark.parametrize("kind", ["hand", "leaves", "microphone"])
def test_some_come_from_either_side(kind):
    def side(value: float) -> float:
        sitter = sitting(cover_side=value)
        return float(
            np.concatenate([placed(sitter, shape) for shape in getattr(covers, kind)(sitter)])[:, 0].mean()
        )

    assert side(-0.8) < 99.5 < side(0.8)
