"""An epoch's triplets of a table of Glint360K's size."""

from __future__ import annotations

import random
from functools import cache, partial
from itertools import pairwise

import numpy as np
from benchmarks.harness import Row
from large_table import IDENTITIES, IMAGES, made_up_table

from facenet_lit.batch import IntArray
from facenet_lit.data.grouping import group_images
from facenet_lit.data.triplets import Drawn, draw_epoch

COMPARED = 20_000, 500
BATCH = 1024
SHARE = 8  # the loop takes a minute and a half for all


def rows() -> list[Row]:
    """Against a loop over the identities, neither shuffled; and what a shuffled batch of them takes then."""
    count = IMAGES - IDENTITIES
    return [
        Row(
            f"triplets, {count / 1e6:.1f} million, freed memory kept",
            lambda: ours(table()),
            lambda: loop(part()),
            partial(random_numbers, count),
            check,
            f"Python loop, on one part of {SHARE}, times {SHARE}",
            "random numbers",
            slow_peer=True,
            peer_share=SHARE,
            inputs=table,
            keeps_memory=True,
        ),
        Row(
            f"triplets, a shuffled batch of {BATCH:,} of them",
            lambda: epoch().rows(0, BATCH),
            None,
            None,
            check_shuffled,
            "-",
            "-",
            inputs=epoch,
        ),
    ]


@cache
def table() -> IntArray:
    """(N,) the identity of each image."""
    return made_up_table(IMAGES, IDENTITIES)


@cache
def part() -> IntArray:
    """A table of ``SHARE`` times fewer images and identities."""
    return made_up_table(IMAGES // SHARE, IDENTITIES // SHARE)


@cache
def epoch() -> Drawn:
    """Its triplets."""
    return ours(table())


def ours(people: IntArray) -> Drawn:
    """An epoch, the order of which is asked for batch by batch."""
    return draw_epoch(group_images(people), "positive", "identity", 0, 0)


def loop(people: IntArray) -> list[tuple[int, int, int]]:
    """The corrected rule as it is written down; not shuffled."""
    starts = [*np.flatnonzero(np.diff(people, prepend=-1)).tolist(), len(people)]
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
    people = made_up_table(*COMPARED)
    for triplets in (np.stack(ours(people)[:3], 1), np.array(loop(people))):
        anchors, positives, negatives = triplets.T
        assert np.array_equal(np.bincount(people[anchors]), np.bincount(people) - 1)
        assert (people[anchors] == people[positives]).all()
        assert (anchors != positives).all()
        assert (people[anchors] != people[negatives]).all()
        assert len(np.unique(positives)) == len(positives)


def check_shuffled() -> None:
    """All batches together are the epoch, in another order."""
    drawn = ours(made_up_table(200_000, COMPARED[1]))
    batches = np.concatenate(
        [drawn.rows(first, first + BATCH) for first in range(0, len(drawn.order), BATCH)]
    )
    whole = np.stack(drawn[:3], 1)
    assert not np.array_equal(batches, whole)
    in_order = [rows[np.argsort(rows[:, 1])] for rows in (batches, whole)]  # no positive comes twice
    assert np.array_equal(*in_order)
