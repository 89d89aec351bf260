"""Images grouped by identity, fast and small enough for tens of millions of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError

Positions = npt.NDArray[Any]  # of int32 where that is enough: half the memory, and so half the time

_PART = 1 << 14  # images of some groups


class Groups(NamedTuple):
    """Images grouped by identity; a group's number is its identity's rank in sorted order.

    Attributes:
        codes: (N,) group of each image, int32 or int64.
        starts: (I,) place of each group's first image once images are grouped.
        counts: (I,) images of each group.
        listed: (N,) the image at each place, those of a group in their order; None where they are listed so.
    """

    codes: Positions
    starts: IntArray
    counts: IntArray
    listed: Positions | None

    def images(self, places: Positions) -> Positions:
        """The images at places."""
        return places if self.listed is None else self.listed[places]

    def parts(self) -> Iterator[slice]:
        """All groups, so many at a time that what is drawn for their images stays in the processor's cache."""
        firsts = np.searchsorted(self.starts, np.arange(0, len(self.codes), _PART))
        cuts = [*np.unique(firsts).tolist(), len(self.counts)]
        return (slice(first, last) for first, last in pairwise(cuts) if first < last)


def group_images(identities: IntArray) -> Groups:
    """Groups images by identity.

    Args:
        identities: (N,) any integers, in any order.

    Raises:
        UserError: there is no genuine or no impostor pair to learn from.
    """
    codes, counts = _codes(np.asarray(identities, np.int64))
    if len(counts) < 2 or counts.max() < 2:
        raise UserError(
            f"data: {len(codes)} training images of {len(counts)} identities: "
            "expected two or more identities, one of them with two or more images; give more images or another split"
        )
    listed = stable_order(codes) if (codes[1:] < codes[:-1]).any() else None
    return Groups(codes, np.cumsum(counts) - counts, counts, listed)


def shuffle_groups(groups: Groups, rng: np.random.Generator) -> Positions:
    """Lists the images by group, uniformly shuffled within each: (N,) positions."""
    places = np.empty_like(groups.codes)
    for part in groups.parts():
        drawn = shuffled_places(groups, part, rng)
        first = groups.starts[part.start]
        places[first : first + len(drawn)] = drawn
    return groups.images(places)


def shuffled_places(groups: Groups, part: slice, rng: np.random.Generator) -> IntArray:
    """(M,) the places of the M images of some groups, group by group, uniformly shuffled within each."""
    counts = groups.counts[part]
    own = np.repeat(np.arange(len(counts)), counts)
    place_bits, group_bits = (int(number - 1).bit_length() for number in (len(own), len(counts)))
    random_bits = 64 - place_bits - group_bits
    pairs = float((counts.astype(float) ** 2).sum())
    if pairs < 2.0 ** (random_bits - 3):
        shuffled = _by_random_bits(own, place_bits, random_bits, rng)
    else:  # in groups of millions two images would get the same bits, draw as often as one may
        shuffled = rng.permutation(len(own))
        shuffled = shuffled[stable_order(own[shuffled])]
    shuffled += groups.starts[part.start]
    return shuffled


def _by_random_bits(own: IntArray, place_bits: int, random_bits: int, rng: np.random.Generator) -> IntArray:
    """(M,) the numbers from 0 to M - 1 by group ``own`` (M,), which ascend; in random order within each.

    Every number has a word: its group, random bits, itself. Sorted by value, several times as fast as by keys, the
    words list a group's numbers as their random bits say. Where two of a group have the same bits the order would be
    that of the numbers, and all is drawn again: given that none have, every order is as likely.
    """
    numbers = np.arange(len(own), dtype=np.uint64)
    numbers |= own.view(np.uint64) << np.uint64(place_bits + random_bits)
    while True:
        words = rng.integers(1 << random_bits, size=len(own), dtype=np.uint64)
        words <<= np.uint64(place_bits)
        words |= numbers
        words.sort()
        if not (words[1:] ^ words[:-1] < np.uint64(1 << place_bits)).any():
            words &= np.uint64((1 << place_bits) - 1)
            return words.view(np.int64)


def stable_order(codes: Positions) -> Positions:
    """What sorts (N,) integers, those of equal value left in their order.

    By torch, which counts where NumPy compares: three times faster on tens of millions.
    """
    return _small(torch.sort(torch.from_numpy(codes), stable=True)[1].numpy(), len(codes))


def _codes(identities: IntArray) -> tuple[Positions, IntArray]:
    """The group of each image, (N,), and the groups' counts, (I,)."""
    size = len(identities)
    if size and (identities[1:] >= identities[:-1]).all():  # as the images of most sources are listed
        counts = np.diff(np.flatnonzero(identities[1:] != identities[:-1]) + 1, prepend=0, append=size)
        return np.repeat(_small(np.arange(len(counts)), size), counts), counts
    span = int(identities.max()) - int(identities.min()) + 1 if size else 0
    if span > 4 * size:  # too wide to count: sort
        _, codes, counts = np.unique(identities, return_inverse=True, return_counts=True)
        return _small(codes.reshape(-1), size), np.asarray(counts, np.int64)
    offsets = identities - identities.min(initial=np.iinfo(np.int64).max)
    counts = np.bincount(offsets)
    ranks = _small(np.cumsum(counts > 0) - 1, size)
    return ranks[offsets], counts[counts > 0]


def _small(values: IntArray, size: int) -> Positions:
    """The values, which are below ``size``, in int32 where that is enough."""
    return values.astype(np.int32 if size <= np.iinfo(np.int32).max else np.int64)
