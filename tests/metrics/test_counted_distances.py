"""What counters alone have to answer for; the order of what they count is in test_ordered_distances.py."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from facenet_lit.metrics import counted_distances
from facenet_lit.metrics.counted_distances import UNCOUNTED, CountedDistances, DistanceCounter
from facenet_lit.metrics.exact_distances import FARTHEST, STEP


@pytest.mark.parametrize("together", [1, 1 << 21])  # by counters, and sorted
def test_every_number_of_steps_is_counted_by_itself(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted_distances, "_TOGETHER", together)
    steps = torch.arange(0, FARTHEST, 401, dtype=torch.int32)
    counter = DistanceCounter()
    counter.add(torch.cat([steps, steps]).reshape(2, -1))
    counter.add(torch.full((9,), UNCOUNTED, dtype=torch.int32))
    counted = counter.counted()
    numbers = steps.numpy() * np.float32(STEP)
    assert counted.below(numbers).tolist() == list(range(0, 2 * len(numbers), 2))
    assert np.array_equal(counted.values(), numbers.repeat(2))


def test_more_than_32_bits_can_count() -> None:
    first, second = 2**40 + 1, 2**33
    distances = CountedDistances(np.array([0, 5, FARTHEST - 1]), np.array([first, second, 7]))
    assert len(distances) == first + second + 7
    last = (FARTHEST - 1) * STEP
    assert distances.below([0, STEP, 1.0, last, 4.5]).tolist() == [
        0,
        first,
        first + second,
        first + second,
        first + second + 7,
    ]
    ranks = [0, first - 1, first, first + second - 1, first + second, len(distances) - 1]
    assert distances.at(ranks).tolist() == [0, 0, 5 * STEP, 5 * STEP, last, last]
    assert distances.mean() == pytest.approx((5 * second + 7 * (FARTHEST - 1)) * STEP / len(distances))


def test_counters_of_32_bits_are_emptied_before_they_are_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted_distances, "_FULL", 100)
    monkeypatch.setattr(counted_distances, "_TOGETHER", 30)
    counter = DistanceCounter()
    counter._counts = counter._counts.new_zeros(FARTHEST + 1)
    counter._counts[2] = 2**31 - 1 - 100  # as if they held so much less
    for _ in range(9):
        counter.add(torch.full((33,), 2, dtype=torch.int32))
    assert len(counter.counted()) == 2**31 - 1 - 100 + 9 * 33
