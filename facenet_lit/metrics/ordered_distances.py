"""Distances in ascending order: how many lie below a threshold, and which one stands at a place."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError
from facenet_lit.metrics.exact_distances import FloatArray


class OrderedDistances(ABC):
    """A multiset of float32 distances, 0 or more, that can be asked about its order."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def below(self, thresholds: npt.ArrayLike) -> IntArray:
        """How many distances are below each of the float32 ``thresholds`` (K,): (K,)."""

    @abstractmethod
    def at(self, ranks: npt.ArrayLike) -> FloatArray:
        """The distances at places (K,) of the ascending order, counted from 0: (K,)."""

    @abstractmethod
    def mean(self) -> float:
        """Their mean, of one or more."""

    @abstractmethod
    def values(self) -> FloatArray:
        """All of them, ascending; there may be billions."""

    def up_to(self, thresholds: npt.ArrayLike) -> IntArray:
        """How many distances are not above each of the float32 ``thresholds`` (K,): (K,)."""
        return self.below(np.nextafter(np.asarray(thresholds, np.float32), np.float32(np.inf)))

    def next_above(self, thresholds: npt.ArrayLike) -> FloatArray:
        """The first distance above each of the float32 ``thresholds`` (K,), infinity where there is none: (K,)."""
        ranks = self.up_to(thresholds)
        found = np.full(ranks.shape, np.inf, np.float32)
        there = ranks < len(self)
        found[there] = self.at(ranks[there])
        return found


class SortedDistances(OrderedDistances):
    """Distances that are written down one by one.

    Args:
        distances: (N,) float32, ascending.

    Raises:
        UserError: they aren't, or aren't finite.
    """

    def __init__(self, distances: FloatArray) -> None:
        ascending = bool(np.all(distances[1:] >= distances[:-1]) and np.isfinite(distances[-1:]).all())
        if distances.dtype != np.float32 or distances.ndim != 1 or not ascending:
            raise UserError("distances: expected finite ascending float32 numbers; use ScoredPairs.of")
        self._distances = distances

    def __len__(self) -> int:
        return len(self._distances)

    def below(self, thresholds: npt.ArrayLike) -> IntArray:
        """See :class:`OrderedDistances`."""
        return np.searchsorted(self._distances, np.asarray(thresholds, np.float32))

    def at(self, ranks: npt.ArrayLike) -> FloatArray:
        """See :class:`OrderedDistances`."""
        found: FloatArray = self._distances[np.asarray(ranks)]
        return found

    def mean(self) -> float:
        """See :class:`OrderedDistances`."""
        return float(self._distances.mean(dtype=np.float64))

    def values(self) -> FloatArray:
        """See :class:`OrderedDistances`."""
        return self._distances
