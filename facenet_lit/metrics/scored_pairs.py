"""Genuine and impostor pairs with their distances, kept sorted, and the weights that balance them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError
from facenet_lit.metrics.effective_number import effective_number
from facenet_lit.metrics.exact_distances import FloatArray
from facenet_lit.metrics.ordered_distances import OrderedDistances, SortedDistances
from facenet_lit.metrics.weighed_distances import WeighedDistances


@dataclass(frozen=True, eq=False)
class ScoredPairs:
    """Distances of genuine and impostor pairs, each in ascending order (:meth:`of` sorts).

    Attributes:
        genuine: (G,) float32 Euclidean distances.
        genuine_identities: (G,) int64, the identity each genuine pair is of.
        impostor: Euclidean distances, of which there may be billions.

    Raises:
        UserError: lengths or types don't fit, or distances aren't finite and ascending.
    """

    genuine: FloatArray
    genuine_identities: IntArray
    impostor: OrderedDistances

    def __post_init__(self) -> None:
        if self.genuine.shape != self.genuine_identities.shape:
            raise UserError("genuine_identities: expected one identity per genuine pair")
        SortedDistances(self.genuine)  # refuses others

    @classmethod
    def of(
        cls, genuine: npt.ArrayLike, genuine_identities: npt.ArrayLike, impostor: npt.ArrayLike
    ) -> ScoredPairs:
        """Sorts distances that come in any order; rounds them to float32."""
        impostors = SortedDistances(np.sort(np.asarray(impostor, np.float32)))
        return cls.counted(
            np.asarray(genuine, np.float32), np.asarray(genuine_identities, np.int64), impostors
        )

    @classmethod
    def counted(
        cls, genuine: FloatArray, genuine_identities: IntArray, impostor: OrderedDistances
    ) -> ScoredPairs:
        """Sorts genuine distances that come in any order."""
        order = np.argsort(genuine, kind="stable")
        return cls(genuine[order], genuine_identities[order], impostor)

    @property
    def has_both_kinds(self) -> bool:
        """Whether there are genuine and impostor pairs."""
        return len(self.genuine) > 0 and len(self.impostor) > 0

    @cached_property
    def impostor_counts(self) -> WeighedDistances:
        """The impostor pairs, each weighing 1."""
        return WeighedDistances(((1, self.impostor),))

    def genuine_counts(self, balanced: bool) -> WeighedDistances:
        """The genuine pairs: each weighing 1, or balanced so that each identity's weigh the same in all."""
        return self._by_identity if balanced else self._by_pair

    @cached_property
    def _by_pair(self) -> WeighedDistances:
        return WeighedDistances(((1, SortedDistances(self.genuine)),))

    @cached_property
    def _by_identity(self) -> WeighedDistances:
        # A pair of an identity with m pairs weighs 1 / m; times the common multiple of all m, an integer.
        shares = _pairs_of_same_identity(self.genuine_identities)
        sizes, counts = np.unique(shares, return_counts=True)
        common = math.lcm(*sizes.tolist())
        by_size = self.genuine[np.argsort(shares, kind="stable")]
        groups = np.split(by_size, np.cumsum(counts)[:-1])
        return WeighedDistances(
            tuple(
                (common // size, SortedDistances(group))
                for size, group in zip(sizes.tolist(), groups, strict=False)
            )
        )


def _pairs_of_same_identity(genuine_identities: IntArray) -> IntArray:
    """(G,) number of genuine pairs that are of the same identity as each one."""
    _, index, counts = np.unique(genuine_identities, return_inverse=True, return_counts=True)
    return np.asarray(counts[index], np.int64)


def balanced_weights(genuine_identities: IntArray) -> npt.NDArray[np.float64]:
    """(G,) weights of genuine pairs, those of each identity adding up to 1."""
    return 1.0 / _pairs_of_same_identity(genuine_identities)


def effective_identities(genuine_identities: IntArray) -> float | None:
    """How many identities the rates over pairs are about, the pairs of each weighing; None without a genuine pair."""
    return effective_number(np.unique(genuine_identities, return_counts=True)[1]) or None
