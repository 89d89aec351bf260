"""An epoch's triplets of a table of Glint360K's size."""

from __future__ import annotations

import random
from functools import partial
from itertools import pairwise

import numpy as np
from benchmarks.harness import Row
from large_table import IDENTITIES, IMAGES, made_up_table

from facenet_lit.batch import IntArray
from facenet_lit.data.grouping import group_images
from facenet_lit.data.triplets import Drawn, draw_epoch

COMPARED = 20_000, 500
BATCH = 1024


def rows() -> list[Row]:
    """Against a loop over the identities, neither shuffled; and what a shuffled batch of them takes then."""
    table, count = made_up_table(IMAGES, IDENTITIES), IMAGES - IDENTITIES
    epoch = ours(table)
    return [
        Row(
            f"triplets, {count / 1e6:.1f} million",
            partial(ours, table),
            partial(loop, table),
            partial(random_numbers, count),
            check,
            "Python loop",
            "random numbers",
            slow_peer=True,
        ),
        Row(
            f"{BATCH:,} of them, shuffled",
            partial(epoch.rows, 0, BATCH),
            None,
            None,
            check_shuffled,
            "-",
            "-",
        ),
    ]


def ours(table: IntArray) -> Drawn:
    """An epoch, the order of which is asked for batch by batch."""
    return draw_epoch(group_images(table), "positive", "identity", 0, 0)


def loop(table: IntArray) -> list[tuple[int, int, int]]:
    """The corrected rule as it is written down; not shuffled."""
    starts = [*np.flatnonzero(np.diff(table, prepend=-1)).tolist(), len(table)]
    pools = [range(first, last) for first, last in pairwise(starts)]
    triplets = []
    for own, images in enumerate(pools):
        pool = list(images)
        while len(pool) > 1:
            anchor, positive = random.sample(pool, 2)
            pool.remove(positive)
            other = random.randrange(len(pools) - 1)
            triplets.append((anchor, positive, random.choice(pools[other + (other >= own)])))
    return triplets


def random_numbers(count: int) -> np.ndarray:
    """One for every triplet."""
    return np.random.default_rng(0).random(count, np.float32)


def check() -> None:
    """On a small table: both give every identity as many, of the right kinds, and take every image but one out once."""
    table = made_up_table(*COMPARED)
    for triplets in (np.stack(ours(table)[:3], 1), np.array(loop(table))):
        anchors, positives, negatives = triplets.T
        assert np.array_equal(np.bincount(table[anchors]), np.bincount(table) - 1)
        assert (table[anchors] == table[positives]).all()
        assert (anchors != positives).all()
        assert (table[anchors] != table[negatives]).all()
        assert len(np.unique(positives)) == len(positives)


def check_shuffled() -> None:
    """All batches together are the epoch, in another order."""
    epoch = ours(made_up_table(200_000, COMPARED[1]))
    batches = np.concatenate(
        [epoch.rows(first, first + BATCH) for first in range(0, len(epoch.order), BATCH)]
    )
    drawn = np.stack(epoch[:3], 1)
    assert not np.array_equal(batches, drawn)
    in_order = [rows[np.argsort(rows[:, 1])] for rows in (batches, drawn)]  # no positive comes twice
    assert np.array_equal(*in_order)
