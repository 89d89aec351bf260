"""Draws an epoch's triplets: four rules for what leaves an identity's pool, two for the negatives."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError, check_choice

REMOVAL_RULES = ("positive", "anchor", "both", "none")
NEGATIVE_RULES = ("identity", "image")

# The spawn key keeps this stream apart from others that are seeded by the same (seed, epoch, ...).
TRIPLET_STREAM = 1


class Groups(NamedTuple):
    """Images grouped by identity; a group's number is its identity's rank in sorted order.

    Attributes:
        codes: (N,) group of each image.
        starts: (I,) place of each group's first image once images are grouped.
        counts: (I,) images of each group.
    """

    codes: IntArray
    starts: IntArray
    counts: IntArray


def group_images(identities: IntArray) -> Groups:
    """Groups images by identity.

    Args:
        identities: (N,) any integers, in any order.

    Raises:
        UserError: there is no genuine or no impostor pair to learn from.
    """
    _, codes, counts = np.unique(np.asarray(identities), return_inverse=True, return_counts=True)
    if len(counts) < 2 or counts.max() < 2:
        raise UserError(
            f"data: {len(codes)} training images of {len(counts)} identities: "
            "expected two or more identities, one of them with two or more images; give more images or another split"
        )
    return Groups(codes.reshape(-1).astype(np.int64), np.cumsum(counts) - counts, counts)


def shuffle_groups(groups: Groups, rng: np.random.Generator) -> IntArray:
    """Lists the images by group, uniformly shuffled within each: (N,) positions."""
    shuffled: IntArray = rng.permutation(len(groups.codes))
    return shuffled[np.argsort(groups.codes[shuffled], kind="stable")]


def count_triplets(identities: IntArray, removal: str) -> int:
    """Counts the triplets of one epoch.

    Args:
        identities: (N,) identity of each image.
        removal: a removal rule, see ``draw_triplets``.

    Raises:
        UserError: the rule is unknown, or there is no genuine or no impostor pair.
    """
    check_choice("sampler.removal", removal, REMOVAL_RULES)
    counts = group_images(identities).counts
    if removal == "none":
        return int((counts * (counts - 1) // 2).sum())
    return int((counts // 2 if removal == "both" else counts - 1).sum())


def draw_triplets(identities: IntArray, removal: str, negatives: str, seed: int, epoch: int) -> IntArray:
    """Draws the triplets of one epoch, a pure function of its arguments.

    Within an identity the draw is distributed as this loop's: while the pool holds two images or more, draw
    anchor and positive from it, then take out the positive (``removal="positive"``, n - 1 triplets of n
    images), the anchor (``"anchor"``, n - 1) or both (``"both"``, floor(n / 2)). ``"none"`` gives every
    unordered pair once, n (n - 1) / 2, and a coin says which of the two is the anchor. The order in which
    images leave is a uniform permutation, and the one that stays is uniform among those left, so no loop is
    needed.

    Args:
        identities: (N,) identity of each image: any integers, in any order.
        removal: what leaves the pool: ``positive``, ``anchor``, ``both`` or ``none``.
        negatives: ``identity``, one drawn uniformly from the other identities and then an image of it, or
            ``image``, drawn uniformly from all images of other identities.
        seed: 0 or more.
        epoch: 0 or more.

    Returns:
        (T, 3) positions in ``identities`` of anchor, positive and negative, in shuffled order.

    Raises:
        UserError: a rule is unknown, or there is no genuine or no impostor pair.
    """
    check_choice("sampler.removal", removal, REMOVAL_RULES)
    check_choice("sampler.negatives", negatives, NEGATIVE_RULES)
    groups = group_images(identities)
    rng = np.random.default_rng(np.random.SeedSequence([seed, epoch], spawn_key=(TRIPLET_STREAM,)))
    pairs = _draw_pairs(groups, removal, rng)
    drawn = np.column_stack([pairs, _draw_negatives(groups, groups.codes[pairs[:, 0]], negatives, rng)])
    return drawn[rng.permutation(len(drawn))]


def _draw_pairs(groups: Groups, removal: str, rng: np.random.Generator) -> IntArray:
    """(T, 2) positions of anchor and positive."""
    order = shuffle_groups(groups, rng)
    codes = groups.codes[order]
    rank = np.arange(len(order)) - groups.starts[codes]
    later = groups.counts[codes] - 1 - rank  # images of the same group further on in the order
    leaving = np.flatnonzero(later)
    if removal == "none":
        first = np.repeat(leaving, later[leaving])
        before = np.cumsum(later[leaving]) - later[leaving]
        second = first + 1 + np.arange(len(first)) - np.repeat(before, later[leaving])
        coin = rng.integers(2, size=len(first)) == 1
        places = (np.where(coin, first, second), np.where(coin, second, first))
    elif removal == "both":
        leaving = leaving[rank[leaving] % 2 == 0]
        places = (leaving, leaving + 1)
    else:
        staying = leaving + 1 + rng.integers(later[leaving])
        places = (leaving, staying) if removal == "anchor" else (staying, leaving)
    pairs: IntArray = order[np.column_stack(places)]
    return pairs


def _draw_negatives(groups: Groups, codes: IntArray, negatives: str, rng: np.random.Generator) -> IntArray:
    """(T,) positions of one image outside each of the groups ``codes`` (T,)."""
    grouped: IntArray = np.argsort(groups.codes, kind="stable")
    if negatives == "image":
        places = rng.integers(len(grouped) - groups.counts[codes])
        places += np.where(places >= groups.starts[codes], groups.counts[codes], 0)  # skips the own group
        return grouped[places]
    others = rng.integers(len(groups.counts) - 1, size=len(codes))
    others += others >= codes  # skips the own group
    places = groups.starts[others] + rng.integers(groups.counts[others])
    return grouped[places]
