"""Billions of distances as counts: how often each number of steps occurs.

Distances of unit vectors are whole steps of 2^-20, three million of them: one counter for each holds any number of
distances, exactly. Most impostor pairs are about as far apart as any others, so the counters in use lie in the
processor's cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facenet_lit.batch import IntArray
from facenet_lit.metrics.exact_distances import FARTHEST, STEP, FloatArray
from facenet_lit.metrics.ordered_distances import OrderedDistances

UNCOUNTED = FARTHEST  # a number of steps that is passed over
_FULL = 2**31 - 1  # what a counter of 32 bits holds, which are faster than those of 64
_TOGETHER = 1 << 21  # what is computed in between drives the counters out of the cache


class DistanceCounter:
    """Counts distances as they come.

    Args:
        device: where they come from.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self._counts = torch.empty(0, dtype=torch.int32, device=device)  # none until there is much to count
        self._one = self._counts.new_ones(1)
        self._before: Any = np.int64(0)  # (S,) what was counted until the counters were emptied
        self._room = _FULL  # so many more may all be equal
        self._waiting: list[Tensor] = []

    def add(self, steps: Tensor) -> None:
        """Counts distances of any shape, int32 steps, fewer than 2^31; they must stay as they are."""
        self._waiting.append(steps.reshape(-1))
        if sum(part.numel() for part in self._waiting) >= _TOGETHER:
            self._count()

    def _count(self) -> None:
        if not self._counts.numel():
            self._counts = self._counts.new_zeros(FARTHEST + 1)
        for steps in self._waiting:
            if self._room < steps.numel():
                self._empty()
            self._counts.index_add_(0, steps, self._one.expand(steps.numel()))
            self._room -= steps.numel()
        self._waiting.clear()

    def _empty(self) -> None:
        self._before = self._before + self._counts.cpu().numpy()
        self._counts.zero_()
        self._room = _FULL

    def counted(self) -> CountedDistances:
        """What was counted; the counter is used up."""
        if not self._counts.numel():  # sorting a list's few is faster than passing over millions of counters
            waiting = torch.cat([self._counts, *self._waiting]).cpu().numpy()
            return CountedDistances(*np.unique(waiting[waiting < UNCOUNTED], return_counts=True))
        self._count()
        self._empty()
        counts = self._before[:UNCOUNTED]
        steps = np.flatnonzero(counts)
        return CountedDistances(steps, counts[steps])


class CountedDistances(OrderedDistances):
    """Distances by how often each occurs.

    Args:
        steps: (K,) those that occur, ascending.
        counts: (K,) how often each does.
    """

    def __init__(self, steps: IntArray, counts: IntArray) -> None:
        self._distances = steps.astype(np.float32) * np.float32(STEP)  # (K,)
        self._upto = np.cumsum(counts)  # (K,) how many are no farther

    def __len__(self) -> int:
        return int(self._upto[-1]) if len(self._upto) else 0

    def below(self, thresholds: npt.ArrayLike) -> IntArray:
        """See :class:`OrderedDistances`."""
        places = np.searchsorted(self._distances, np.asarray(thresholds, np.float32))
        counted: IntArray = np.append(0, self._upto)[places]
        return counted

    def at(self, ranks: npt.ArrayLike) -> FloatArray:
        """See :class:`OrderedDistances`."""
        found: FloatArray = self._distances[np.searchsorted(self._upto, np.asarray(ranks, np.int64), "right")]
        return found

    def mean(self) -> float:
        """See :class:`OrderedDistances`."""
        return float(self._counts() @ self._distances.astype(np.float64)) / len(self)

    def values(self) -> FloatArray:
        """See :class:`OrderedDistances`."""
        return np.repeat(self._distances, self._counts())

    def _counts(self) -> IntArray:
        return np.diff(self._upto, prepend=0)
