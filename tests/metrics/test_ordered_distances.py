from __future__ import annotations

import math
from bisect import bisect_left, bisect_right

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facenet_lit.errors import UserError
from facenet_lit.metrics.counted_distances import DistanceCounter
from facenet_lit.metrics.exact_distances import FARTHEST, STEP
from facenet_lit.metrics.ordered_distances import OrderedDistances, SortedDistances

NUMBERS = st.sampled_from(
    [0.0, 1e-30, 0.1, 0.12499999, 0.125, 0.5, 1.0, 1.0000001, 1.4142135, 2.0, 3.9999998, 4.0, 5.5, 1e9]
)
FLOATS = st.floats(0, 8, width=32)
THRESHOLDS = NUMBERS | FLOATS | st.sampled_from([-1.0, -0.0, math.inf, -math.inf])


def sorted_ones(numbers: list[float]) -> OrderedDistances:
    return SortedDistances(np.sort(np.array(numbers, np.float32)))


def counted_ones(numbers: list[float]) -> OrderedDistances:
    """By a counter that gets them in two parts."""
    counter = DistanceCounter()
    for part in (numbers[: len(numbers) // 3], numbers[len(numbers) // 3 :]):
        counter.add((torch.tensor(part, dtype=torch.float64) / STEP).int())
    return counter.counted()


STEPS = st.integers(0, FARTHEST - 1).map(lambda steps: steps * STEP) | st.sampled_from(
    [0.0, STEP, 1.0, 2.0, 2.0 + STEP, (FARTHEST - 1) * STEP]
)


@pytest.mark.parametrize(("kind", "given_ones"), [(sorted_ones, NUMBERS | FLOATS), (counted_ones, STEPS)])
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_order_is_that_of_a_sorted_list(kind, given_ones, data) -> None:
    numbers = data.draw(st.lists(given_ones, max_size=40))
    thresholds = data.draw(st.lists(THRESHOLDS | STEPS, min_size=1, max_size=9))
    expected = sorted(float(np.float32(number)) for number in numbers)
    asked = [float(np.float32(threshold)) for threshold in thresholds]
    distances = kind(numbers)
    assert len(distances) == len(expected)
    assert distances.values().tolist() == expected
    assert distances.values().dtype == np.float32
    assert distances.below(asked).tolist() == [bisect_left(expected, each) for each in asked]
    finite = [each for each in asked if each < math.inf]
    assert distances.up_to(finite).tolist() == [bisect_right(expected, each) for each in finite]
    following = [next((d for d in expected if d > each), math.inf) for each in finite]
    assert distances.next_above(finite).tolist() == following
    assert distances.at(np.arange(len(expected))).tolist() == expected
    assert int(distances.below(np.float32(asked[0]))) == bisect_left(expected, asked[0])
    if expected:
        assert float(distances.at(len(expected) - 1)) == expected[-1]
        assert distances.mean() == pytest.approx(math.fsum(expected) / len(expected), rel=1e-12)


def test_distances_that_are_not_sorted_or_finite_are_refused() -> None:
    good = np.array([0.5, 1.0], np.float32)
    for bad in (good[::-1], good.astype(np.float64), np.array([0.5, np.nan], np.float32), good[None]):
        with pytest.raises(UserError, match="ascending float32"):
            SortedDistances(bad)
