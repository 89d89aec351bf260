"""What every loss has: rows and triplets in, a sum and its counts out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from facenet_lit import gathering
from facenet_lit.batch import Rows


@dataclass(frozen=True, eq=False)
class LossSum:
    """A loss before its mean is taken, so that processes can add up totals and counts.

    All of them stay where they were computed: a number that the host asks a GPU for is one that it waits for.

    Attributes:
        total: scalar with gradient, the sum over triplets (or whatever the loss is a mean over).
        count: scalar int64, those that the mean is over.
        active: scalar int64, those that give a gradient or lie on the wrong side.
        considered: scalar int64, all that were looked at, inactive ones included.
        added: sums of further losses, each with a mean of its own, that are added to this one's.
    """

    total: Tensor
    count: Tensor
    active: Tensor
    considered: Tensor
    added: tuple[LossSum, ...] = ()

    @property
    def value(self) -> Tensor:
        """The mean: a scalar with gradient, 0 where there is nothing to take a mean over."""
        own = self.total / self.count.clamp_min(1)
        return own + sum(other.value for other in self.added)

    def over_processes(self) -> LossSum:
        """Totals and counts of all processes added up, so that ``value`` is the mean over the global batch.

        Its gradient is the world size times that of this process's part: processes average their gradients.
        """
        count, active, considered = gathering.sum_of(torch.stack([self.count, self.active, self.considered]))
        return LossSum(
            gathering.sum_with_gradient(self.total),
            count,
            active,
            considered,
            tuple(other.over_processes() for other in self.added),
        )


class Loss(nn.Module, ABC):
    """Scores a batch; a new loss is one method, ``forward``.

    Attributes:
        needs_triplets: it scores mined triplets. Others look at the rows themselves, and no miner runs.
    """

    needs_triplets: bool = True

    @property
    def ever_needs_triplets(self) -> bool:
        """Whether it does in any epoch."""
        return self.needs_triplets

    def set_up(self, identities: Tensor, embedding_size: int) -> None:
        """Makes what depends on who is trained on; most losses need nothing.

        Args:
            identities: (N,) int64 identity of each training image.
            embedding_size: dimensions D of the embedding.
        """

    def set_epoch(self, epoch: int) -> None:
        """Tells the number of the epoch, from 0, before its first batch."""

    @abstractmethod
    def forward(self, anchors: Rows, rows: Rows, triplets: Tensor) -> LossSum:
        """Scores a batch.

        With nothing to score, or nothing active, the gradients are zeros.

        Args:
            anchors: the A rows that column 0 of the triplets indexes.
            rows: the B rows that columns 1 and 2 index.
            triplets: (T, 3) int64, anchor, positive and negative; (0, 3) where the loss needs none.

        Returns:
            The sum, in float32 or finer, and the counts.
        """
