"""The mean over every semi-hard triplet of a batch, without writing the triplets down."""

from __future__ import annotations

import torch
from torch import Tensor

from facenet_lit.batch import Rows
from facenet_lit.distances import pairwise_distances
from facenet_lit.errors import check_flag, check_number
from facenet_lit.losses.loss import Loss, LossSum
from facenet_lit.precision import in_full


class SemiHardMeanLoss(Loss):
    """Mean of d(a, p) - d(a, n) + margin over all triplets of the batch with 0 < d(a, n) - d(a, p) < margin.

    These are the semi-hard triplets of Schroff, Kalenichenko and Philbin, FaceNet, 2015, section 3.2, all of
    them, where ``miner=semi_hard`` takes the hardest of each pair. A batch of B rows holds up to B^3 triplets,
    so they are never formed: with an anchor's negatives in order of their distance, those of a pair are a run
    between two binary searches, and a running sum tells their total. Memory is O(A B), time O(A B log B).

    Args:
        margin: above 0, in the unit of the distances.
        squared: distances are squared.
        views: two rows of one image, augmented each in its own way, are a genuine pair as well.

    Raises:
        UserError: a setting is out of range.
    """

    needs_triplets = False

    def __init__(self, margin: float = 0.2, squared: bool = False, views: bool = False) -> None:
        super().__init__()
        self.margin = check_number("loss.margin", margin, above=True)
        self.squared = check_flag("loss.squared", squared)
        self.views = check_flag("loss.views", views)

    def forward(self, anchors: Rows, rows: Rows, triplets: Tensor) -> LossSum:
        """Scores a batch, see ``Loss``; considered are all its triplets, active the semi-hard ones."""
        with torch.autocast(rows.embeddings.device.type, enabled=False):
            distances = pairwise_distances(
                in_full(anchors.embeddings), in_full(rows.embeddings), self.squared
            )  # (A, B)
        genuine, impostor = anchors.pairs_with(rows, self.views)
        # Sums of a thousand distances are subtracted from one another: float64 keeps what float32 would lose.
        negatives, order = distances.detach().masked_fill(~impostor, torch.inf).sort(1)
        sorted_distances = distances.double().gather(1, order).masked_fill(negatives.isinf(), 0)
        sums = torch.nn.functional.pad(sorted_distances.cumsum(1), (1, 0))  # (A, B + 1) of the nearest k
        limits = distances.detach()
        first = torch.searchsorted(negatives, limits, right=True)  # (A, B) negatives not beyond the positive
        last = torch.searchsorted(negatives, limits + self.margin)
        runs = torch.where(genuine, (last - first).clamp_min(0), 0)  # (A, B) semi-hard negatives of each pair
        totals = runs * (distances.double() + self.margin) - (sums.gather(1, last) - sums.gather(1, first))
        total = torch.where(runs > 0, totals, 0).sum().to(distances.dtype)
        # What is no number has no order and so no run: here it shows.
        total = total + 0 * (anchors.embeddings.sum() + rows.embeddings.sum())
        active = runs.sum()
        considered = int((genuine.sum(1) * impostor.sum(1)).sum())
        return LossSum(total, active, active, considered)
