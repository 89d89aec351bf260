"""Plans an epoch's batches: triplets, or P identities x K images with singles as further negatives."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from facenet_lit.batch import BatchPlan, IntArray
from facenet_lit.data.grouping import group_images, shuffle_groups
from facenet_lit.data.plan_sampler import PlanSampler
from facenet_lit.data.triplets import NEGATIVE_RULES, count_by_rule, draw_epoch
from facenet_lit.errors import UserError, check_choice, check_integer

# Spawn keys keep these streams apart from others that are seeded by the same (seed, epoch, ...).
IDENTITY_STREAM, IMAGE_STREAM, SINGLE_STREAM = 2, 3, 4


class TripletSampler(PlanSampler):
    """Batches of drawn triplets, rows interleaved as a0, p0, n0, a1, ...; the last may be smaller.

    Args:
        identities: (N,) identity of each training image.
        numbers: (N,) image number of each.
        batch_size: rows of a batch, a multiple of 3.
        removal: removal rule, see ``facenet_lit.data.triplets.draw_triplets``.
        negatives: negative rule.
        seed: 0 or more.
        max_per_identity: triplets of one identity in an epoch; None for no limit.

    Raises:
        UserError: a setting is out of range, or the images hold no genuine or no impostor pair.
    """

    def __init__(
        self,
        identities: IntArray,
        numbers: IntArray,
        batch_size: int,
        removal: str = "positive",
        negatives: str = "identity",
        seed: int = 0,
        max_per_identity: int | None = None,
    ) -> None:
        if check_integer("data.batch_size", batch_size, 3) % 3:
            near = batch_size - batch_size % 3
            raise UserError(
                f"data.batch_size={batch_size}: sampler=triplets expects a multiple of 3 rows; "
                f"set data.batch_size={near} or {near + 3}"
            )
        self.numbers, self.batch_size = numbers, batch_size
        self._groups = group_images(identities)
        if max_per_identity is not None:
            check_integer("sampler.max_per_identity", max_per_identity, 1)
        self.most = max_per_identity
        self._triplets = count_by_rule(self._groups, removal, self.most)
        self.removal = removal
        self.negatives = check_choice("sampler.negatives", negatives, NEGATIVE_RULES)
        self.seed = check_integer("seed", seed, 0)

    def __len__(self) -> int:
        return (3 * self._triplets + self.batch_size - 1) // self.batch_size

    def plans(self, epoch: int) -> Iterator[BatchPlan]:
        """Yields the batches of an epoch, whichever is the current one."""
        drawn = draw_epoch(self._groups, self.removal, self.negatives, self.seed, epoch, self.most)
        triplets = self.batch_size // 3
        for index, first in enumerate(range(0, len(drawn.order), triplets)):
            rows = self.numbers[drawn.rows(first, first + triplets)]  # (T, 3)
            yield BatchPlan(epoch, index, rows.reshape(-1), np.arange(rows.size).reshape(-1, 3))


class IdentitySampler(PlanSampler):
    """Batches of P identities x K images and S singles, without triplets.

    In one epoch every identity with two or more images is visited once, in random order, with K of its
    images drawn without replacement. Singles (the one image of an identity that has no other) are negatives
    only. They rotate: one seeded order is gone through again and again, on through the epochs, so that each
    is visited before any comes twice and a batch never holds one twice.

    An identity with n < K images gives each of them once, and its K - n empty rows go to further singles:
    more different negatives. Where a batch has empty rows beyond the last single, or with ``short=views``
    always, the images of the identity are repeated in turn; rows with equal image numbers form no pair,
    unless the miner takes different views of an image for one. The last batch may hold fewer than P
    identities; it keeps its S singles. Rows of one identity are contiguous, singles stand at the end.

    Args:
        identities: (N,) identity of each training image.
        numbers: (N,) image number of each.
        batch_size: rows of a full batch, P * K + S.
        identities_per_batch: P.
        images_per_identity: K, 2 or more.
        singles: S. Where the images hold fewer singles than that, so do the batches, by as many rows.
        seed: 0 or more.
        short: what fills the rows of identities with fewer than K images: ``singles`` or ``views``.

    Raises:
        UserError: a setting is out of range, or the images hold no genuine or no impostor pair.
    """

    def __init__(
        self,
        identities: IntArray,
        numbers: IntArray,
        batch_size: int,
        identities_per_batch: int,
        images_per_identity: int,
        singles: int = 0,
        seed: int = 0,
        short: str = "singles",
    ) -> None:
        self.identities_per_batch = check_integer("sampler.identities", identities_per_batch, 1)
        self.images_per_identity = check_integer("sampler.images", images_per_identity, 2)
        wanted = check_integer("sampler.singles", singles, 0)
        self.seed = check_integer("seed", seed, 0)
        self.short = check_choice("sampler.short", short, ("singles", "views"))
        self.numbers = numbers
        self._groups = group_images(identities)
        self._visited = np.flatnonzero(self._groups.counts > 1)
        alone = self._groups.counts[self._groups.codes] == 1  # (N,)
        self._rotation = self._rng(SINGLE_STREAM, 0).permutation(numbers[alone])
        self._check_rows(batch_size, wanted)
        self.singles = min(wanted, len(self._rotation))
        self._positions = [0]  # singles handed out before each epoch, as far as asked for

    def __len__(self) -> int:
        return (len(self._visited) + self.identities_per_batch - 1) // self.identities_per_batch

    def plans(self, epoch: int) -> Iterator[BatchPlan]:
        """Yields the batches of an epoch, whichever is the current one."""
        order = self.numbers[shuffle_groups(self._groups, self._rng(IMAGE_STREAM, epoch))]
        visits = self._visits(epoch)
        singles_per_batch = self._singles_per_batch(visits)
        ends = self._position(epoch) + np.cumsum(singles_per_batch)
        for index, (count, end) in enumerate(zip(singles_per_batch.tolist(), ends.tolist(), strict=True)):
            first = index * self.identities_per_batch
            codes = visits[first : first + self.identities_per_batch]
            images = order[self._rows(codes, count - self.singles)]
            singles = self._rotation.take(np.arange(end - count, end), mode="wrap")
            yield BatchPlan(epoch, index, np.concatenate([images, singles]), None)

    def _rng(self, stream: int, epoch: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence([self.seed, epoch], spawn_key=(stream,)))

    def _check_rows(self, batch_size: int, s: int) -> None:
        """Raises UserError where the settings do not fit each other or the images."""
        p, k = self.identities_per_batch, self.images_per_identity
        if check_integer("data.batch_size", batch_size, 1) != p * k + s:
            raise UserError(
                f"data.batch_size={batch_size}: sampler=pk expects sampler.identities * sampler.images + "
                f"sampler.singles = {p} * {k} + {s} rows; set data.batch_size={p * k + s}"
            )
        if p == 1 and min(s, len(self._rotation)) == 0:
            raise UserError(
                "sampler.identities=1: expected 2 or more where there are no singles: no row is negative"
            )

    def _visits(self, epoch: int) -> IntArray:
        """(V,) the groups with two or more images, in the order in which an epoch visits them."""
        return self._rng(IDENTITY_STREAM, epoch).permutation(self._visited)

    def _empty(self, codes: IntArray) -> IntArray:
        """Rows that each group is short of K images."""
        return np.maximum(self.images_per_identity - self._groups.counts[codes], 0)

    def _singles_per_batch(self, visits: IntArray) -> IntArray:
        """(batches,) S and the empty rows that go to singles, as far as there are different ones."""
        firsts = np.arange(0, len(visits), self.identities_per_batch)
        if self.short == "views":
            return np.full(len(firsts), self.singles)
        wanted: IntArray = self.singles + np.add.reduceat(self._empty(visits), firsts)
        return np.minimum(wanted, len(self._rotation))

    def _position(self, epoch: int) -> int:
        """Singles handed out before an epoch: a function of (seed, epoch), remembered as it is summed."""
        while len(self._positions) <= epoch:
            handed_out = self._singles_per_batch(self._visits(len(self._positions) - 1)).sum()
            self._positions.append(self._positions[-1] + int(handed_out))
        return self._positions[epoch]

    def _rows(self, codes: IntArray, filled: int) -> IntArray:
        """Places, in the grouped order, of the images of ``codes``; singles take ``filled`` empty rows."""
        empty = self._empty(codes)
        filled_before = np.cumsum(empty) - empty
        rows = self.images_per_identity - np.clip(filled - filled_before, 0, empty)
        within = np.arange(rows.sum()) - np.repeat(np.cumsum(rows) - rows, rows)
        counts = np.repeat(self._groups.counts[codes], rows)
        places: IntArray = np.repeat(self._groups.starts[codes], rows) + within % counts
        return places
