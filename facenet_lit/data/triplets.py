"""Draws an epoch's triplets: four rules for what leaves an identity's pool, two for the negatives."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.data.distinct_ranks import distinct_ranks, limited, pairs_by_rank
from facenet_lit.data.grouping import Groups, Positions, group_images, shuffled_places
from facenet_lit.data.shuffled_order import ShuffledOrder
from facenet_lit.data.uniform_draws import draw_below
from facenet_lit.errors import check_choice

REMOVAL_RULES = ("positive", "anchor", "both", "none")
NEGATIVE_RULES = ("identity", "image")

# The spawn key keeps this stream apart from others that are seeded by the same (seed, epoch, ...).
TRIPLET_STREAM = 1


def count_triplets(identities: IntArray, removal: str, most: int | None = None) -> int:
    """Counts the triplets of one epoch.

    Args:
        identities: (N,) identity of each image.
        removal: a removal rule, see ``draw_triplets``.
        most: of one identity; None for no limit.

    Raises:
        UserError: the rule is unknown, or there is no genuine or no impostor pair.
    """
    return count_by_rule(group_images(identities), removal, most)


def count_by_rule(groups: Groups, removal: str, most: int | None = None) -> int:
    """What :func:`count_triplets` counts, of images that are grouped already."""
    totals = _totals(groups.counts, check_choice("sampler.removal", removal, REMOVAL_RULES))
    return int(limited(totals, most).sum())


def _totals(counts: IntArray, removal: str) -> IntArray:
    """(I,) the triplets of identities with so many images."""
    if removal == "none":
        return counts * (counts - 1) // 2
    return counts // 2 if removal == "both" else counts - 1


def draw_triplets(
    identities: IntArray, removal: str, negatives: str, seed: int, epoch: int, most: int | None = None
) -> Positions:
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
        most: triplets of one identity, whose loop stops at so many; under ``none`` as many different pairs drawn
            from all. None for no limit.

    Returns:
        (T, 3) positions in ``identities`` of anchor, positive and negative, in shuffled order; int32 where enough.

    Raises:
        UserError: a rule is unknown, or there is no genuine or no impostor pair.
    """
    return draw_epoch(group_images(identities), removal, negatives, seed, epoch, most).rows(0, None)


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


def draw_epoch(
    groups: Groups, removal: str, negatives: str, seed: int, epoch: int, most: int | None = None
) -> Drawn:
    """What :func:`draw_triplets` draws, of images that are grouped already, not yet put in order."""
    check_choice("sampler.removal", removal, REMOVAL_RULES)
    check_choice("sampler.negatives", negatives, NEGATIVE_RULES)
    rng = np.random.default_rng(np.random.SeedSequence([seed, epoch], spawn_key=(TRIPLET_STREAM,)))
    drawn = np.empty((3, count_by_rule(groups, removal, most)), groups.codes.dtype)
    strangers = _Strangers(groups) if negatives == "identity" else partial(_draw_strangers, groups)
    done = 0
    for part in groups.parts():
        codes, anchors, positives = _draw_pairs(groups, part, removal, most, rng)
        for column, places in zip(drawn, (anchors, positives, strangers(codes, rng)), strict=True):
            column[done : done + len(codes)] = groups.images(places)
        done += len(codes)
    return Drawn(drawn[0], drawn[1], drawn[2], ShuffledOrder(done, rng, drawn.dtype))


def _draw_pairs(
    groups: Groups, part: slice, removal: str, most: int | None, rng: np.random.Generator
) -> tuple[IntArray, IntArray, IntArray]:
    """(T,) each pair's group, one of some groups; (T,) the places of the anchors, and of their positives."""
    order = shuffled_places(groups, part, rng)
    own, anchors, positives = _pairs_of(groups.counts[part], removal, most, rng)
    own += part.start
    return own, order.take(anchors), order.take(positives)


def _pairs_of(
    counts: IntArray, removal: str, most: int | None, rng: np.random.Generator
) -> tuple[IntArray, IntArray, IntArray]:
    """The same of groups of shuffled images: an image's place among them all stands for it."""
    totals = _totals(counts, removal)
    kept = limited(totals, most)
    own, starts = np.repeat(np.arange(len(counts)), kept), np.cumsum(counts) - counts
    if removal == "none":
        first, second = pairs_by_rank(distinct_ranks(totals, most, rng))
        first += starts[own]
        second += starts[own]
        coin = rng.integers(2, size=len(own)) == 1
        return own, np.where(coin, first, second), np.where(coin, second, first)
    step = 2 if removal == "both" else 1
    leaving = step * np.arange(len(own))
    leaving += np.repeat(starts - step * (np.cumsum(kept) - kept), kept)
    if removal == "both":
        return own, leaving, leaving + 1
    later = np.repeat(starts + counts - 1, kept) - leaving  # images of its group behind each
    staying = leaving + 1
    staying += draw_below(later, rng)
    return (own, leaving, staying) if removal == "anchor" else (own, staying, leaving)


def _draw_strangers(groups: Groups, codes: IntArray, rng: np.random.Generator) -> IntArray:
    """(T,) places of images, each drawn from all those outside a group, of ``codes`` (T,)."""
    own = groups.counts[codes]
    places = draw_below(len(groups.codes) - own, rng)
    places += np.where(places >= groups.starts[codes], own, 0)  # skips the own group
    return places


class _Strangers:
    """Draws groups, and of each an image.

    Args:
        groups: I of them.
    """

    def __init__(self, groups: Groups) -> None:
        self._bits = int(groups.counts.max()).bit_length()
        self._spans = groups.starts << self._bits | groups.counts  # (I,) of both, by one look

    def __call__(self, codes: IntArray, rng: np.random.Generator) -> IntArray:
        """(T,) places of images, each of a group drawn from all but one, of ``codes`` (T,)."""
        others = draw_below(np.full(len(codes), len(self._spans) - 1), rng)
        others += others >= codes  # skips the own group
        spans = self._spans.take(others)
        places = draw_below(spans & ((1 << self._bits) - 1), rng)
        spans >>= self._bits
        places += spans
        return places
