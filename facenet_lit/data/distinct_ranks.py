"""Some of each identity's pairs: distinct ranks drawn at random, and the pair that a rank stands for."""

from __future__ import annotations

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.data.uniform_draws import draw_below


def limited(totals: IntArray, most: int | None) -> IntArray:
    """(I,) totals, none above ``most``; None is no limit."""
    return totals if most is None else np.minimum(totals, most)


def distinct_ranks(totals: IntArray, most: int | None, rng: np.random.Generator) -> IntArray:
    """For each group all numbers below its total, or where there are more than ``most``, so many of them.

    Every subset is as likely (Floyd's algorithm: Bentley and Floyd 1987, A sample of brilliance), and nothing is
    made that is as long as a large group's total.

    Args:
        totals: (I,).
        most: 1 or more; None for all.
        rng: the randomness.

    Returns:
        (T,) ranks, group by group.
    """
    kept = limited(totals, most)
    firsts = np.cumsum(kept) - kept
    ranks: IntArray = np.arange(int(kept.sum())) - np.repeat(firsts, kept)
    large = np.flatnonzero(totals > kept)
    if most is not None and len(large):
        ranks[firsts[large, None] + np.arange(most)] = _subsets(totals[large], most, rng)
    return ranks


def _subsets(totals: IntArray, size: int, rng: np.random.Generator) -> IntArray:
    """(G, size) for each of G totals distinct numbers below it."""
    chosen = np.empty((len(totals), size), np.int64)
    for place in range(size):
        highest = totals - size + place
        drawn = draw_below(highest + 1, rng)
        taken = (chosen[:, :place] == drawn[:, None]).any(1)
        chosen[:, place] = np.where(taken, highest, drawn)
    return chosen


def pairs_by_rank(ranks: IntArray) -> tuple[IntArray, IntArray]:
    """The unordered pairs (0, 1), (0, 2), (1, 2), (0, 3), ... by their places in this list, as their two columns.

    (T,) ranks below 2^50 to two of (T,), the first number below the second.
    """
    second: IntArray = ((1 + np.sqrt(8 * ranks + 1)) / 2).astype(np.int64)
    second -= second * (second - 1) // 2 > ranks  # the root may have been rounded up
    return ranks - second * (second - 1) // 2, second
