"""What counters alone have to answer for; the order of what they count is in test_ordered_distances.py."""

from __future__ import annotations

import numpy as np
import pytest

from facenet_lit.metrics import counted_distances
from facenet_lit.metrics.counted_distances import FIRST, SPAN, CountedDistances, DistanceCounter


def test_every_number_of_the_span_has_a_counter_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted_distances, "FEW", 0)
    numbers = np.arange(FIRST, FIRST + SPAN, 4001, dtype=np.int32).view(np.float32)
    assert (numbers[0], np.float32(4)) == (0.125, np.int32(FIRST + SPAN - 1).view(np.float32))
    counter = DistanceCounter(2 * len(numbers))
    counter.add(np.concatenate([numbers, numbers]).reshape(2, -1))
    counted = counter.counted()
    assert counted.below(numbers).tolist() == list(range(0, 2 * len(numbers), 2))
    assert np.array_equal(counted.values(), numbers.repeat(2))


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_more_than_32_bits_can_count(dtype: type) -> None:
    counts = np.zeros(SPAN, dtype)
    counts[[0, 5, SPAN - 1]] = [2**30, 2**29, 7] if dtype is np.int32 else [2**40, 2**40, 7]
    first, second = int(counts[0]), int(counts[5])
    distances = CountedDistances(counts, 0, np.array([0.01, 5.0], np.float32))
    assert len(distances) == first + second + 9
    assert distances.below([0.125, 1.0, 4.0, 4.5]).tolist() == [
        1,
        1 + first + second,
        1 + first + second,
        8 + first + second,
    ]
    ranks = [0, 1, first, first + 1, first + second, first + second + 1, len(distances) - 1]
    low, fifth = np.float32(0.125), np.int32(FIRST + 5).view(np.float32)
    assert distances.at(ranks).tolist() == [np.float32(0.01), low, low, fifth, fifth, 4.0, 5.0]


def test_pairs_beyond_32_bits_get_larger_counters() -> None:
    assert DistanceCounter(2**31 - 1)._counts.itemsize == 4
    assert DistanceCounter(2**31)._counts.itemsize == 8
