"""All pairs with the identities they are of, in the order of their distances: what is counted anew in each replicate.

A pair is one integer of 64 bits, its distance in steps before the places of its two identities, so that sorting the
integers sorts the pairs.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch

from facenet_lit.batch import IntArray, Rows
from facenet_lit.metrics.exact_distances import FARTHEST, ExactDistances, listed_steps
from facenet_lit.metrics.pair_scoring import tiles

HELD = 1 << 27  # impostor pairs that are held at most: 1 GiB, those of 16,384 images
_PART = 1 << 20  # pairs that are looked at together
PAST = FARTHEST + 1  # a threshold, in steps, that accepts every pair


class PairTable:
    """Genuine and impostor pairs, each kind ascending by distance.

    Args:
        identities: I, the places that identities are named by.
        genuine: (G,) keys of genuine pairs, see :meth:`keys`; in any order.
        impostor: (P,) keys of impostor pairs, likewise; sorted where they lie.
        images: (I,) images of each identity where the pairs are all of theirs, else None.

    Attributes:
        genuine_steps: (G,) distances, ascending.
        genuine_of: (G,) place of the identity that each is of.
    """

    def __init__(
        self, identities: int, genuine: IntArray, impostor: IntArray, images: IntArray | None = None
    ) -> None:
        self.identities = identities
        self.images = images
        impostor.sort()
        self._impostor = impostor
        self.genuine_steps, self.genuine_of, _ = self._split(np.sort(genuine))

    def __len__(self) -> int:
        return len(self._impostor)

    @classmethod
    def of_all(cls, rows: Rows) -> PairTable:
        """Every pair of different images.

        Args:
            rows: (N, D) unit vectors, of different images, as :func:`unique_rows` gives them.
        """
        order = torch.argsort(rows.identities, stable=True)  # so that few tiles hold genuine pairs
        _, places, sizes = np.unique(rows.identities[order].numpy(), return_inverse=True, return_counts=True)
        genuine_count = int((sizes * (sizes - 1) // 2).sum())
        images = len(order)
        keys = [
            np.empty(images * (images - 1) // 2 - genuine_count, np.int64),
            np.empty(genuine_count, np.int64),
        ]
        filled = [0, 0]
        for same, part in _tile_keys(ExactDistances(rows.embeddings, order), places, len(sizes)):
            keys[same][filled[same] : filled[same] + len(part)] = part
            filled[same] += len(part)
        return cls(len(sizes), keys[1], keys[0], sizes)

    @classmethod
    def of_list(cls, rows: Rows, pairs: npt.ArrayLike) -> PairTable:
        """Listed pairs, as often as they are listed.

        Args:
            rows: as for :meth:`of_all`; those that are listed are unit vectors.
            pairs: (P, 2) image numbers, all of them among those of the rows.
        """
        listed = np.asarray(pairs, np.int64).reshape(-1, 2)
        named = np.unique(listed)
        order = torch.searchsorted(rows.numbers, torch.from_numpy(named))
        names, places = np.unique(rows.identities[order].numpy(), return_inverse=True)
        first, second = np.searchsorted(named, listed).T
        steps = listed_steps(rows.embeddings, *order.numpy()[np.stack([first, second])]).numpy()
        keys = _keys(steps, places[first], places[second], len(names))
        same = places[first] == places[second]
        return cls(len(names), keys[same], keys[~same])

    def below(self, cuts: npt.ArrayLike) -> IntArray:
        """How many impostor pairs are nearer than each of ``cuts`` (K,), in steps: (K,)."""
        return np.searchsorted(self._impostor, np.asarray(cuts, np.int64) << 2 * _bits(self.identities))

    def genuine_below(self, cuts: npt.ArrayLike) -> IntArray:
        """How many genuine pairs are nearer than each of ``cuts`` (K,), in steps: (K,)."""
        return np.searchsorted(self.genuine_steps, np.asarray(cuts, np.int64))

    def weights_below(self, cuts: IntArray) -> npt.NDArray[np.float64]:
        """(3, K) weights of impostor, genuine, and balanced genuine pairs nearer than each of cuts (K,), in steps."""
        pairs_of = np.bincount(self.genuine_of, minlength=self.identities)
        genuine = self.genuine_below(cuts)
        balanced = np.append(0, np.cumsum(1 / pairs_of[self.genuine_of]))
        return np.stack([self.below(cuts), genuine, balanced[genuine]]).astype(np.float64)

    def impostors_of(self, nearest: int) -> IntArray:
        """(I,) of how many of so many nearest impostor pairs each identity is one."""
        if self.images is not None and nearest == len(self):
            whole: IntArray = self.images * (self.images.sum() - self.images)
            return whole
        counted = np.zeros(self.identities, np.int64)
        for start in range(0, nearest, _PART):
            _, *sides = self.impostors(slice(start, min(start + _PART, nearest)))
            for side in sides:
                counted += np.bincount(side, minlength=self.identities)
        return counted

    def impostors(self, at: slice | IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Distances in steps, and places of the two identities, of the impostor pairs at places of the order."""
        return self._split(self._impostor[at])

    def _split(self, keys: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        bits = _bits(self.identities)
        mask = (1 << bits) - 1
        return keys >> 2 * bits, keys >> bits & mask, keys & mask


def _bits(identities: int) -> int:
    return max(identities - 1, 1).bit_length()


def _keys(steps: IntArray, first: IntArray, second: IntArray, identities: int) -> IntArray:
    """(P,) keys: the distance before the lower and the higher place."""
    bits = _bits(identities)
    low, high = np.minimum(first, second), np.maximum(first, second)
    keys: IntArray = steps.astype(np.int64) << 2 * bits | low << bits | high
    return keys


def _tile_keys(exact: ExactDistances, places: IntArray, identities: int) -> Iterator[tuple[int, IntArray]]:
    """Keys of the pairs of each tile, whether of one identity (1) or of two (0); rows stand in the order of places."""
    bits = _bits(identities)
    for down, across in tiles(len(places)):
        keys = exact.tile(down, across).numpy().astype(np.int64) << 2 * bits
        keys |= (places[down] << bits)[:, None] | places[across]
        if down.start != across.start and places[down.stop - 1] != places[across.start]:
            yield 0, keys.ravel()
            continue
        same = places[down, None] == places[None, across]
        later = np.arange(down.start, down.stop)[:, None] < np.arange(across.start, across.stop)
        yield 0, keys[later & ~same]
        yield 1, keys[later & same]
