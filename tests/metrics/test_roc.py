from __future__ import annotations

import pytest
from brute_force import GENUINE, IMPOSTOR, Brute, exactly, float_pairs, scored
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.errors import UserError
from facenet_lit.metrics.roc import roc


@exactly
@given(GENUINE, IMPOSTOR, st.booleans(), st.integers(3, 40))
def test_roc_is_some_points_of_the_curve_with_both_ends(genuine, impostor, balanced, points):
    brute = Brute(genuine, impostor, balanced)
    curve = roc(scored(genuine, impostor), balanced, points)
    assert len(curve.thresholds) <= points
    assert set(curve.thresholds.tolist()) <= set(brute.thresholds)
    assert curve.far.tolist() == [float(brute.far(t)) for t in curve.thresholds]
    assert curve.tar.tolist() == [float(brute.tar(t)) for t in curve.thresholds]
    assert (curve.far[0], curve.tar[0], curve.far[-1], curve.tar[-1]) == (0, 0, 1, 1)
    if len(genuine) + len(impostor) < points:
        assert curve.thresholds.tolist() == brute.thresholds


def test_too_few_points_are_refused():
    with pytest.raises(UserError, match="points=2"):
        roc(float_pairs(), points=2)
