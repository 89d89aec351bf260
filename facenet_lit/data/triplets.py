"""Draws an epoch's triplets: four rules for what leaves an identity's pool, two for the negatives."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.data.grouping import Groups, Positions, group_images, shuffle_groups, stable_order
from facenet_lit.data.shuffled_order import ShuffledOrder
from facenet_lit.errors import check_choice

REMOVAL_RULES = ("positive", "anchor", "both", "none")
NEGATIVE_RULES = ("identity", "image")

# The spawn key keeps this stream apart from others that are seeded by the same (seed, epoch, ...).
TRIPLET_STREAM = 1


def count_triplets(identities: IntArray, removal: str) -> int:
    """Counts the triplets of one epoch.

    Args:
        identities: (N,) identity of each image.
        removal: a removal rule, see ``draw_triplets``.

    Raises:
        UserError: the rule is unknown, or there is no genuine or no impostor pair.
    """
    return count_by_rule(group_images(identities), removal)


def count_by_rule(groups: Groups, removal: str) -> int:
    """What :func:`count_triplets` counts, of images that are grouped already."""
    check_choice("sampler.removal", removal, REMOVAL_RULES)
    counts = groups.counts
    if removal == "none":
        return int((counts * (counts - 1) // 2).sum())
    return int((counts // 2 if removal == "both" else counts - 1).sum())


def draw_triplets(identities: IntArray, removal: str, negatives: str, seed: int, epoch: int) -> Positions:
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
        (T, 3) positions in ``identities`` of anchor, positive and negative, in shuffled order; int32 where enough.

    Raises:
        UserError: a rule is unknown, or there is no genuine or no impostor pair.
    """
    return draw_epoch(group_images(identities), removal, negatives, seed, epoch).rows(0, None)


class Drawn(NamedTuple):
    """An epoch's triplets as they were drawn, and the order in which they are handed out.

    Attributes:
        anchors: (T,) positions.
        positives: (T,) positions.
        negatives: (T,) positions.
        order: of 0 to T - 1.
    """

    anchors: Positions
    positives: Positions
    negatives: Positions
    order: ShuffledOrder

    def rows(self, first: int, last: int | None) -> Positions:
        """The triplets [first, last) of the epoch, (T, 3): a batch at a time there is no second copy of all."""
        chosen = self.order[first:last]
        return np.stack([self.anchors[chosen], self.positives[chosen], self.negatives[chosen]], 1)


def draw_epoch(groups: Groups, removal: str, negatives: str, seed: int, epoch: int) -> Drawn:
    """What :func:`draw_triplets` draws, of images that are grouped already, not yet put in order."""
    check_choice("sampler.removal", removal, REMOVAL_RULES)
    check_choice("sampler.negatives", negatives, NEGATIVE_RULES)
    rng = np.random.default_rng(np.random.SeedSequence([seed, epoch], spawn_key=(TRIPLET_STREAM,)))
    anchors, positives = _draw_pairs(groups, removal, rng)
    drawn = _draw_negatives(groups, groups.codes[anchors], negatives, rng)
    return Drawn(anchors, positives, drawn, ShuffledOrder(len(anchors), rng, groups.codes.dtype))


def _draw_pairs(groups: Groups, removal: str, rng: np.random.Generator) -> tuple[Positions, Positions]:
    """(T,) positions of the anchors, and of their positives."""
    order = shuffle_groups(groups, rng)
    small = order.dtype.type
    later = _images_further_on(groups)
    leaving = np.flatnonzero(later).astype(small)
    if removal == "none":
        first = np.repeat(leaving, later[leaving])
        before = np.cumsum(later[leaving]) - later[leaving]
        second = first + 1 + np.arange(len(first)) - np.repeat(before, later[leaving])
        coin = rng.integers(2, size=len(first)) == 1
        return order[np.where(coin, first, second)], order[np.where(coin, second, first)]
    if removal == "both":
        rank = np.repeat(groups.counts, groups.counts)[leaving] - 1 - later[leaving]
        leaving = leaving[rank % 2 == 0]
        return order[leaving], order[leaving + 1]
    staying = leaving + 1
    staying += rng.integers(later[leaving]).astype(small)
    anchors, positives = (leaving, staying) if removal == "anchor" else (staying, leaving)
    return order[anchors], order[positives]


def _images_further_on(groups: Groups) -> Positions:
    """(N,) for each place once images are grouped, how many images of its group come behind it."""
    ends = groups.starts + groups.counts - 1
    later: Positions = np.repeat(ends.astype(groups.codes.dtype), groups.counts)
    later -= np.arange(len(later), dtype=later.dtype)
    return later


def _draw_negatives(groups: Groups, codes: Positions, negatives: str, rng: np.random.Generator) -> Positions:
    """(T,) positions of one image outside each of the groups ``codes`` (T,)."""
    grouped = stable_order(groups.codes)
    if negatives == "image":
        places = rng.integers(len(grouped) - groups.counts[codes])
        places += np.where(places >= groups.starts[codes], groups.counts[codes], 0)  # skips the own group
        return grouped[places]
    others = rng.integers(len(groups.counts) - 1, size=len(codes)).astype(codes.dtype)
    others += others >= codes  # skips the own group
    places = rng.integers(groups.counts[others])
    places += groups.starts[others]
    chosen: Positions = grouped[places]
    return chosen
