"""Losses over triplets. They know no miner: triplet indices are all that passes between the two."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facenet_lit.distances import paired_distances
from facenet_lit.errors import check_choice, check_flag, check_number


@dataclass(frozen=True, eq=False)
class LossSum:
    """A loss before its mean is taken, so that processes can add up totals and counts.

    Attributes:
        total: scalar with gradient, the sum over triplets.
        count: scalar int64, the triplets that the mean is over.
        active: scalar int64, the triplets that give a gradient or lie on the wrong side.
        triplets: number of triplets.
    """

    total: Tensor
    count: Tensor
    active: Tensor
    triplets: int

    @property
    def value(self) -> Tensor:
        """The mean: a scalar with gradient, 0 where there is nothing to take a mean over."""
        return self.total / self.count.clamp_min(1)


class TripletLoss(nn.Module):
    """Triplet margin loss, max(0, d(a, p) - d(a, n) + margin).

    Schroff, Kalenichenko and Philbin, FaceNet, 2015, equation 3 (there ``squared``). With ``soft_margin`` it
    is log(1 + exp(d(a, p) - d(a, n))), Hermans, Beyer and Leibe, In Defense of the Triplet Loss, 2017,
    section 2: never 0, so the mean is over all, and a triplet counts as active where d(a, p) >= d(a, n).

    The loss of embeddings that have collapsed into one point is exactly the margin.

    Args:
        margin: 0 or more, in the unit of the distances; not used with ``soft_margin``.
        squared: distances are squared.
        mean_over: ``active``, the triplets with a loss above 0, or ``all``.
        soft_margin: the softplus instead of the hinge.

    Raises:
        UserError: a setting is out of range.
    """

    def __init__(
        self,
        margin: float = 0.2,
        squared: bool = False,
        mean_over: str = "active",
        soft_margin: bool = False,
    ) -> None:
        super().__init__()
        self.margin = check_number("loss.margin", margin)
        self.squared = check_flag("loss.squared", squared)
        self.mean_over = check_choice("loss.mean_over", mean_over, ("active", "all"))
        self.soft_margin = check_flag("loss.soft_margin", soft_margin)

    def forward(self, anchors: Tensor, embeddings: Tensor, triplets: Tensor) -> LossSum:
        """Scores triplets.

        Without a triplet, or without an active one, the gradients are zeros.

        Args:
            anchors: (A, D) embeddings that column 0 of the triplets indexes.
            embeddings: (B, D) embeddings that columns 1 and 2 index.
            triplets: (T, 3) int64, anchor, positive and negative.

        Returns:
            The sum over triplets, in float32 or finer, and the counts.
        """
        anchor, positive, negative = triplets.unbind(1)
        chosen = _in_full(anchors[anchor])  # (T, D)
        genuine = paired_distances(chosen, _in_full(embeddings[positive]), self.squared)
        impostor = paired_distances(chosen, _in_full(embeddings[negative]), self.squared)
        gap = genuine - impostor  # (T,)
        losses = F.softplus(gap) if self.soft_margin else F.relu(gap + self.margin)
        active = (gap >= 0 if self.soft_margin else losses > 0).sum()
        over_all = self.soft_margin or self.mean_over == "all"
        count = torch.full_like(active, len(triplets)) if over_all else active
        return LossSum(losses.sum(), count, active, len(triplets))


def _in_full(embeddings: Tensor) -> Tensor:
    """Embeddings in float32 or finer: a half's step near 1 is a tenth of the margin."""
    return embeddings.to(torch.promote_types(embeddings.dtype, torch.float32))
