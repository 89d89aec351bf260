"""Billions of distances as counts: how often each float32 number occurs.

Distances of unit vectors are between 0 and 2, and the float32 numbers from 1/8 to 4 are 42 million: one counter for
each holds any number of distances, exactly. The bit patterns of floats of one sign are in the order of the floats, so
a distance's place is its pattern less that of the first. What lies outside is rare, and is kept as it is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from facenet_lit.batch import IntArray
from facenet_lit.metrics.exact_distances import FloatArray
from facenet_lit.metrics.ordered_distances import OrderedDistances, SortedDistances

FIRST = int(np.float32(0.125).view(np.int32))
SPAN = int(np.float32(4).view(np.int32)) - FIRST + 1
FEW = 1 << 22  # so many are sorted faster than all counters are gone through
_PIECE = 1 << 20  # counters looked at together


class DistanceCounter:
    """Counts distances as they come; few are kept as they are.

    Args:
        most: no more distances than this will be counted; below 2^31 counters take half the memory.
    """

    def __init__(self, most: int) -> None:
        # By NumPy, which gets memory that is zero until it is written to, and takes none before.
        size = 0 if most <= FEW else SPAN
        self._counts = torch.from_numpy(np.zeros(size, np.int32 if most < 2**31 else np.int64))
        self._ones = self._counts.new_ones(0)
        self._outside: list[FloatArray] = []
        self._least, self._greatest = size, -1  # places that were counted at

    def add(self, distances: FloatArray) -> None:
        """Counts distances of any shape, contiguous in memory."""
        flat = distances.reshape(-1)
        if not len(self._counts):
            self._outside.append(flat)
        elif len(flat):
            self._count(flat)

    def _count(self, distances: FloatArray) -> None:
        places = torch.from_numpy(distances.view(np.int32)).long().sub_(FIRST)
        least, greatest = map(int, torch.aminmax(places))
        if least < 0 or greatest >= SPAN:
            inside = (places >= 0) & (places < SPAN)
            self._outside.append(distances[~inside.numpy()])
            places = places[inside]
            least, greatest = map(int, torch.aminmax(places)) if len(places) else (SPAN, -1)
        self._least, self._greatest = min(self._least, least), max(self._greatest, greatest)
        if len(self._ones) < len(places):
            self._ones = self._counts.new_ones(len(places))
        self._counts.index_add_(0, places, self._ones[: len(places)])

    def counted(self) -> OrderedDistances:
        """What was counted; the counter is used up."""
        outside = np.sort(np.concatenate([np.empty(0, np.float32), *self._outside]))
        if not len(self._counts):
            return SortedDistances(outside)
        counts = self._counts.numpy()[self._least : self._greatest + 1]
        return CountedDistances(counts, self._least, outside)


class CountedDistances(OrderedDistances):
    """Distances by how often each occurs.

    Args:
        counts: (S,) how often each float32 number occurs; it is used up.
        place: of the first of them, counted from 1/8.
        outside: (M,) float32 distances below 1/8 or above 4, ascending.
    """

    def __init__(self, counts: npt.NDArray[np.int32] | IntArray, place: int, outside: FloatArray) -> None:
        least = np.searchsorted(outside, np.float32(0.125))
        self._low, self._high = SortedDistances(outside[:least]), SortedDistances(outside[least:])
        self._first = FIRST + place
        self._upto = counts  # from here on how many are not above each number
        np.cumsum(counts, dtype=counts.dtype, out=counts)
        self._inside = int(counts[-1]) if len(counts) else 0

    def __len__(self) -> int:
        return len(self._low) + self._inside + len(self._high)

    def below(self, thresholds: npt.ArrayLike) -> IntArray:
        """See :class:`OrderedDistances`."""
        at = np.asarray(thresholds, np.float32)
        # A negative one has a negative pattern.
        places = np.clip(at.view(np.int32).astype(np.int64) - self._first, 0, len(self._upto))
        return self._low.below(at) + self._counted(places) + self._high.below(at)

    def at(self, ranks: npt.ArrayLike) -> FloatArray:
        """See :class:`OrderedDistances`."""
        wanted = np.atleast_1d(np.asarray(ranks, np.int64))
        found = np.empty(wanted.shape, np.float32)
        low = wanted < len(self._low)
        high = wanted >= len(self._low) + self._inside
        found[low] = self._low.at(wanted[low])
        found[high] = self._high.at(wanted[high] - len(self._low) - self._inside)
        rest = ~low & ~high
        places = np.searchsorted(
            self._upto, (wanted[rest] - len(self._low)).astype(self._upto.dtype), "right"
        )
        found[rest] = (places + self._first).astype(np.int32).view(np.float32)
        return found.reshape(np.shape(ranks))

    def mean(self) -> float:
        """See :class:`OrderedDistances`."""
        total = sum(float(part.values().sum(dtype=np.float64)) for part in (self._low, self._high))
        for start in range(0, len(self._upto), _PIECE):
            numbers, counts = self._numbers(start)
            total += float(numbers.astype(np.float64) @ counts)
        return total / len(self)

    def values(self) -> FloatArray:
        """See :class:`OrderedDistances`."""
        pieces = [self._numbers(start) for start in range(0, len(self._upto), _PIECE)]
        inside = [np.repeat(numbers[counts > 0], counts[counts > 0]) for numbers, counts in pieces]
        return np.concatenate([self._low.values(), *inside, self._high.values()])

    def _counted(self, places: IntArray) -> IntArray:
        """(K,) how many distances are at the first ``places`` (K,) numbers."""
        if not self._inside:
            return np.zeros_like(places)
        upto: IntArray = np.where(places > 0, self._upto[np.maximum(places - 1, 0)], 0).astype(np.int64)
        return upto

    def _numbers(self, start: int) -> tuple[FloatArray, IntArray]:
        """A piece of the numbers, and how often each occurs."""
        upto = self._upto[start : start + _PIECE].astype(np.int64)
        before = int(self._upto[start - 1]) if start else 0
        numbers = np.arange(self._first + start, self._first + start + len(upto), dtype=np.int32)
        return numbers.view(np.float32), np.diff(upto, prepend=before)
