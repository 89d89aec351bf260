from __future__ import annotations

import math

import pytest

from facenet_lit.errors import UserError
from facenet_lit.metrics.resolution import exact_far, is_resolvable, resolution


def test_resolution():
    assert not is_resolvable(0.01, 99)
    assert is_resolvable(0.01, 100)
    assert not is_resolvable(0.5, 0)
    states = [resolution(0.01, count) for count in (99, 100, 999, 1000)]
    assert states == ["unresolvable", "coarse", "coarse", "fine"]


def test_an_infinite_far_is_refused():
    for f in (0.0, math.inf):
        with pytest.raises(UserError, match=r"metrics\.fars"):
            resolution(f, 100)
    assert exact_far(0.29) * 100 == 29
