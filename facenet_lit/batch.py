"""The words that sampler, dataset, module and miner share: a batch, its rows, and a plan of one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

IntArray = npt.NDArray[np.int64]


class BatchPlan(NamedTuple):
    """Which images make a batch: drawn by a sampler, the same on every process.

    Attributes:
        epoch: the epoch the batch belongs to, from 0.
        batch: number of the batch in its epoch, from 0.
        numbers: (N,) image numbers, one per row.
        triplets: (T, 3) rows of anchor, positive and negative, or None where the sampler draws none.
    """

    epoch: int
    batch: int
    numbers: IntArray
    triplets: IntArray | None


class Batch(NamedTuple):
    """What the network is given.

    Attributes:
        images: (N, 3, H, W) uint8 RGB, or float32 in [0, 255]; augmented, not yet normalised.
        identities: (N,) int64.
        numbers: (N,) int64 image numbers.
        triplets: (T, 3) int64, or None: the anchor by its row here, positive and negative by their rows of the
            global batch.
        views: (N,) int64, how often the row's image stands in the rows before it; None where nobody asks.
        first: row of the global batch that the first of these is.
        total: rows of the global batch, of which a process has its share; None where these are all.
        place: epoch, and number of the batch in it, both from 0.
    """

    images: Tensor
    identities: Tensor
    numbers: Tensor
    triplets: Tensor | None
    views: Tensor | None = None
    first: int = 0
    total: int | None = None
    place: tuple[int, int] = (0, 0)

    @property
    def global_rows(self) -> int:
        """Rows of the global batch."""
        return len(self.numbers) if self.total is None else self.total


class Rows(NamedTuple):
    """Embedded rows, as miners see them.

    Two rows are a genuine pair if their identities are equal and their image numbers differ, an impostor
    pair if their identities differ. A row with the image number of another is neither to it.

    Attributes:
        embeddings: (N, D) unit vectors.
        identities: (N,) int64.
        numbers: (N,) int64 image numbers.
        views: (N,) int64, which of the rows of its image each one is; None where nobody asks.
    """

    embeddings: Tensor
    identities: Tensor
    numbers: Tensor
    views: Tensor | None = None

    def pairs_with(self, others: Rows, views: bool = False) -> tuple[Tensor, Tensor]:
        """Which of these A rows make a genuine, and which an impostor pair with which of B others.

        Args:
            others: the B rows.
            views: two different views of one image are a genuine pair too.

        Returns:
            Two (A, B) masks.

        Raises:
            ValueError: views count, and the rows do not say which they are.
        """
        same_identity = self.identities[:, None] == others.identities[None, :]
        apart = self.numbers[:, None] != others.numbers[None, :]
        genuine = same_identity & apart
        if views:
            if self.views is None or others.views is None:
                raise ValueError("views count as pairs, but the rows do not say which views they are")
            genuine = same_identity & (apart | (self.views[:, None] != others.views[None, :]))
        return genuine, ~same_identity & apart


class ScoredBatch(NamedTuple):
    """What became of a training batch, for those who look on; the same on every process, without gradient.

    Attributes:
        rows: of the global batch, embedded.
        loss: scalar, the mean over the global batch.
        active: scalar int64, triplets or rows that give a gradient or lie on the wrong side.
        considered: scalar int64, all that were looked at.
    """

    rows: Rows
    loss: Tensor
    active: Tensor
    considered: Tensor


def share_of(total: int, rank: int, world: int) -> tuple[int, int]:
    """The rows of a global batch that a process takes: [first, last), contiguous, sizes differing by one at most."""
    return total * rank // world, total * (rank + 1) // world


def count_views(numbers: IntArray) -> IntArray:
    """How often each number stands before its place: (N,) for (N,) numbers."""
    order = np.argsort(numbers, kind="stable")
    grouped = numbers[order]
    starts = np.searchsorted(grouped, grouped)
    views = np.empty(len(numbers), dtype=np.int64)
    views[order] = np.arange(len(numbers)) - starts
    return views
