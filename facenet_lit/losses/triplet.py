"""The triplet margin loss, over the triplets that a miner chose."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from facenet_lit.batch import Rows
from facenet_lit.distances import paired_distances
from facenet_lit.errors import check_choice, check_flag, check_number
from facenet_lit.losses.loss import Loss, LossSum
from facenet_lit.precision import in_full


class TripletLoss(Loss):
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

    def forward(self, anchors: Rows, rows: Rows, triplets: Tensor) -> LossSum:
        """Scores triplets, see ``Loss``; ``active`` are those whose hinge is open."""
        anchor, positive, negative = triplets.unbind(1)
        chosen = in_full(anchors.embeddings[anchor])  # (T, D)
        genuine = paired_distances(chosen, in_full(rows.embeddings[positive]), self.squared)
        impostor = paired_distances(chosen, in_full(rows.embeddings[negative]), self.squared)
        gap = genuine - impostor  # (T,)
        losses = F.softplus(gap) if self.soft_margin else F.relu(gap + self.margin)
        active = (gap >= 0 if self.soft_margin else losses > 0).sum()
        over_all = self.soft_margin or self.mean_over == "all"
        considered = torch.full_like(active, len(triplets))
        return LossSum(losses.sum(), considered if over_all else active, active, considered)
