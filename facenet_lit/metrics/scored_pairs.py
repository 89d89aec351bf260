"""Genuine and impostor pairs with their distances: scored once, kept sorted, counted without rounding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facenet_lit.batch import IntArray, Rows
from facenet_lit.errors import UserError
from facenet_lit.metrics.exact_distances import ExactDistances, FloatArray

BLOCK = 256  # rows compared at a time: what is held beside the result is a few (256, N) arrays


@dataclass(frozen=True, eq=False)
class WeighedDistances:
    """Distances in groups of equal weight.

    The weights are integers of any size, so a count is exact and equal rates compare equal.

    Attributes:
        groups: (weight, ascending float32 distances) of each group.
    """

    groups: tuple[tuple[int, FloatArray], ...]

    @cached_property
    def total(self) -> int:
        """Weight of all distances together."""
        return sum(weight * len(distances) for weight, distances in self.groups)

    def accepted(self, thresholds: npt.ArrayLike) -> npt.NDArray[np.object_]:
        """Weight of the distances below each of the float32 ``thresholds`` (K,): (K,) Python integers."""
        at = np.atleast_1d(np.asarray(thresholds, np.float32))
        result = np.zeros(at.shape, object)
        for weight, distances in self.groups:
            result += np.searchsorted(distances, at).astype(object) * weight
        return result


@dataclass(frozen=True, eq=False)
class ScoredPairs:
    """Distances of genuine and impostor pairs, each in ascending order (:meth:`of` sorts).

    Attributes:
        genuine: (G,) float32 Euclidean distances.
        genuine_identities: (G,) int64, the identity each genuine pair is of.
        impostor: (M,) float32 Euclidean distances.

    Raises:
        UserError: lengths or types don't fit, or distances aren't finite and ascending.
    """

    genuine: FloatArray
    genuine_identities: IntArray
    impostor: FloatArray

    def __post_init__(self) -> None:
        if self.genuine.shape != self.genuine_identities.shape:
            raise UserError("genuine_identities: expected one identity per genuine pair")
        for name, distances in (("genuine", self.genuine), ("impostor", self.impostor)):
            ascending = bool(np.all(distances[1:] >= distances[:-1]) and np.isfinite(distances[-1:]).all())
            if distances.dtype != np.float32 or distances.ndim != 1 or not ascending:
                raise UserError(f"{name}: expected finite ascending float32 distances; use ScoredPairs.of")

    @classmethod
    def of(
        cls, genuine: npt.ArrayLike, genuine_identities: npt.ArrayLike, impostor: npt.ArrayLike
    ) -> ScoredPairs:
        """Sorts distances that come in any order; rounds them to float32."""
        distances = np.asarray(genuine, np.float32)
        order = np.argsort(distances, kind="stable")
        identities = np.asarray(genuine_identities, np.int64)
        return cls(distances[order], identities[order], np.sort(np.asarray(impostor, np.float32)))

    @cached_property
    def impostor_counts(self) -> WeighedDistances:
        """The impostor pairs, each weighing 1."""
        return WeighedDistances(((1, self.impostor),))

    def genuine_counts(self, balanced: bool) -> WeighedDistances:
        """The genuine pairs: each weighing 1, or balanced so that each identity's weigh the same in all."""
        return self._by_identity if balanced else self._by_pair

    @cached_property
    def _by_pair(self) -> WeighedDistances:
        return WeighedDistances(((1, self.genuine),))

    @cached_property
    def _by_identity(self) -> WeighedDistances:
        # A pair of an identity with m pairs weighs 1 / m; times the common multiple of all m, an integer.
        shares = _pairs_of_same_identity(self.genuine_identities)
        sizes, counts = np.unique(shares, return_counts=True)
        common = math.lcm(*sizes.tolist())
        by_size = self.genuine[np.argsort(shares, kind="stable")]
        groups = np.split(by_size, np.cumsum(counts)[:-1])
        return WeighedDistances(
            tuple((common // size, group) for size, group in zip(sizes.tolist(), groups, strict=False))
        )


def _pairs_of_same_identity(genuine_identities: IntArray) -> IntArray:
    """(G,) number of genuine pairs that are of the same identity as each one."""
    _, index, counts = np.unique(genuine_identities, return_inverse=True, return_counts=True)
    return np.asarray(counts[index], np.int64)


def balanced_weights(genuine_identities: IntArray) -> npt.NDArray[np.float64]:
    """(G,) weights of genuine pairs, those of each identity adding up to 1."""
    return 1.0 / _pairs_of_same_identity(genuine_identities)


def effective_identities(genuine_identities: IntArray) -> float | None:
    """How many identities the rates over pairs are about: (sum w)^2 / sum w^2 for w pairs of an identity.

    Kish's effective sample size (Survey Sampling, 1965). None where there is no genuine pair.
    """
    counts = np.unique(genuine_identities, return_counts=True)[1].tolist()
    return sum(counts) ** 2 / sum(count**2 for count in counts) if counts else None


def unique_rows(embeddings: Tensor, identities: Tensor, numbers: Tensor) -> Rows:
    """Rows in ascending order of their image numbers, of equal numbers the first, on the CPU.

    Args:
        embeddings: (N, D), any floating type and device.
        identities: (N,) integers.
        numbers: (N,) integers, the image numbers.

    Returns:
        float32 embeddings, int64 identities and numbers.

    Raises:
        UserError: the shapes don't fit, or embeddings aren't finite.
    """
    if embeddings.ndim != 2 or not (identities.shape == numbers.shape == embeddings.shape[:1]):
        raise UserError("embeddings: expected (N, D) with an identity and an image number for each row")
    bad = int((~torch.isfinite(embeddings)).any(1).sum())
    if bad:
        raise UserError(
            f"embeddings hold NaN or infinity in {bad} of {len(embeddings)} rows: expected finite numbers; "
            "training has diverged, lower the learning rate or use 32-bit precision"
        )
    kept, first = np.unique(numbers.cpu().numpy().astype(np.int64), return_index=True)
    index = torch.from_numpy(first)
    values = embeddings.detach().to("cpu", torch.float32)[index]
    return Rows(values, identities.cpu().long()[index], torch.from_numpy(kept))


def score_all_pairs(embeddings: Tensor, identities: Tensor, numbers: Tensor) -> ScoredPairs:
    """Scores each unordered pair of different images once.

    Takes the arguments of :func:`unique_rows`, unit vectors; a repeated image counts once, and the order of
    the rows doesn't matter. Memory is that of the result and of one block of rows. Distances are those of
    :class:`ExactDistances`: a pair has the same one here and in a list.

    Raises:
        UserError: the shapes don't fit, or embeddings aren't finite.
    """
    rows = unique_rows(embeddings, identities, numbers)
    people = rows.identities.numpy()
    images = len(people)
    per_identity = np.unique(people, return_counts=True)[1]
    genuine_count = int((per_identity * (per_identity - 1) // 2).sum())
    genuine = np.empty(genuine_count, np.float32)
    genuine_identities = np.empty(genuine_count, np.int64)
    impostor = np.empty(images * (images - 1) // 2 - genuine_count, np.float32)
    exact = ExactDistances(rows.embeddings)
    g = m = 0
    for start in range(0, images, BLOCK):
        distances = exact.block(start, start + BLOCK)  # (B, N - start)
        later = np.triu(np.ones(distances.shape, bool), 1)
        same = people[start : start + BLOCK, None] == people[None, start:]
        own, other = later & same, later & ~same
        row_of_own = np.nonzero(own)[0]
        found, others = len(row_of_own), distances[other]
        genuine[g : g + found] = distances[own]
        genuine_identities[g : g + found] = people[start + row_of_own]
        impostor[m : m + len(others)] = others
        g, m = g + found, m + len(others)
    impostor.sort()  # in place: there may be hundreds of millions
    order = np.argsort(genuine, kind="stable")
    return ScoredPairs(genuine[order], genuine_identities[order], impostor)


def score_listed_pairs(
    embeddings: Tensor, identities: Tensor, numbers: Tensor, pairs: npt.ArrayLike
) -> ScoredPairs:
    """Scores the pairs of a list, as often as they are listed, by the distances of :func:`score_all_pairs`.

    Args:
        embeddings: (N, D) unit vectors, as for :func:`unique_rows`.
        identities: (N,) integers.
        numbers: (N,) integers, the image numbers.
        pairs: (P, 2) image numbers.

    Raises:
        UserError: a number is not among ``numbers``, a pair is of an image with itself, or the embeddings
            don't fit or aren't finite.
    """
    rows = unique_rows(embeddings, identities, numbers)
    listed = np.asarray(pairs, np.int64).reshape(-1, 2)
    known = rows.numbers.numpy()
    missing = np.setdiff1d(listed, known)
    if len(missing):
        raise UserError(
            f"pairs: {len(missing)} image numbers have no embedding, the first {missing[0]}: expected pairs "
            "of images that were embedded; give the list that belongs to this part"
        )
    if np.any(listed[:, 0] == listed[:, 1]):
        raise UserError("pairs: an image is paired with itself: expected two images; take that pair out")
    first, second = torch.from_numpy(np.searchsorted(known, listed)).unbind(1)  # rows, (P,) each
    distances = ExactDistances(rows.embeddings).listed(first, second)
    people = rows.identities.numpy()[first.numpy()]
    genuine = people == rows.identities.numpy()[second.numpy()]
    return ScoredPairs.of(distances[genuine], people[genuine], distances[~genuine])
