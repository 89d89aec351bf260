"""Distances with weights, counted without rounding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from facenet_lit.metrics.ordered_distances import OrderedDistances


@dataclass(frozen=True, eq=False)
class WeighedDistances:
    """Distances in groups of equal weight.

    The weights are integers of any size, so a count is exact and equal rates compare equal.

    Attributes:
        groups: weight and distances of each group.
    """

    groups: tuple[tuple[int, OrderedDistances], ...]

    @cached_property
    def total(self) -> int:
        """Weight of all distances together."""
        return sum(weight * len(distances) for weight, distances in self.groups)

    def accepted_at(self, threshold: float) -> int:
        """Weight of the distances below one float32 threshold."""
        return int(self.accepted(threshold)[0])

    def accepted(self, thresholds: npt.ArrayLike) -> npt.NDArray[np.object_]:
        """Weight of the distances below each of the float32 ``thresholds`` (K,): (K,) Python integers."""
        at = np.atleast_1d(np.asarray(thresholds, np.float32))
        result = np.zeros(at.shape, object)
        for weight, distances in self.groups:
            result += distances.below(at).astype(object) * weight
        return result
