"""The mean over every semi-hard triplet of a batch, without writing the triplets down."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from facenet_lit.batch import Rows
from facenet_lit.distances import PairBlock, pair_blocks
from facenet_lit.errors import check_flag, check_number
from facenet_lit.losses.loss import Loss, LossSum
from facenet_lit.precision import in_full


class SemiHardMeanLoss(Loss):
    """Mean of d(a, p) - d(a, n) + margin over all triplets of the batch with 0 < d(a, n) - d(a, p) < margin.

    These are the semi-hard triplets of Schroff, Kalenichenko and Philbin, FaceNet, 2015, section 3.2, all of
    them, where ``miner=semi_hard`` takes the hardest of each pair. A batch of B rows holds up to B^3 triplets,
    so they are never formed: with an anchor's positives in order of their distance, those that a negative is
    semi-hard to are a run between two binary searches. What the sum asks of each distance is then a count of
    triplets, and the gradient of the embeddings a matrix product. Memory is O(A + B) rows, time O(A B log B).

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
            anchors, rows = (part._replace(embeddings=in_full(part.embeddings)) for part in (anchors, rows))
            total, active, considered = _SummedTriplets.apply(
                anchors.embeddings, rows.embeddings, anchors, rows, self
            )
        return LossSum(total, active, active, considered)


class _SummedTriplets(torch.autograd.Function):
    """The sum over semi-hard triplets, their number, and that of all triplets.

    The gradient is made with the sum, block by block; of the pairs nothing is kept.
    """

    @staticmethod
    def forward(
        ctx: Any, own: Tensor, others: Tensor, anchors: Rows, rows: Rows, loss: SemiHardMeanLoss
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The three sums, of own (A, D) and others (B, D), the embeddings of ``anchors`` and ``rows``."""
        total = own.new_zeros((), dtype=torch.float64)
        active, considered = rows.numbers.new_zeros(2).unbind()
        own_gradient, gradient = torch.zeros_like(own), torch.zeros_like(others)
        for block in pair_blocks(anchors, rows, loss.squared, loss.views):
            weights, count = _triplets_of_each_pair(block, loss.margin)
            # float32 will do for the sum of one anchor; for that of all, float64 keeps what float32 would lose.
            total += (weights * block.distances).sum(1).double().sum() + loss.margin * count.double()
            active += count
            considered += (block.genuine.sum(1) * block.impostor.sum(1)).sum()
            if any(ctx.needs_input_grad):
                scales = _scales(weights, block.distances, loss.squared)  # (C, B)
                some = own[block.anchors]
                own_gradient[block.anchors] = scales.sum(1)[:, None] * some - scales @ others
                gradient.addcmul_(scales.sum(0)[:, None], others).addmm_(scales.T, some, alpha=-1)
        ctx.save_for_backward(own_gradient, gradient)
        ctx.mark_non_differentiable(active, considered)
        return total.to(own.dtype), active, considered

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor, *counts: Tensor) -> tuple[Tensor | None, ...]:
        own, others = ctx.saved_tensors
        return gradient * own, gradient * others, None, None, None


def _triplets_of_each_pair(block: PairBlock, margin: float) -> tuple[Tensor, Tensor]:
    """(C, B) semi-hard triplets that a pair is in, those of impostor pairs negative; and the number of triplets.

    What is no number has no order and may count as anything: the sum shows it.
    """
    distances, genuine, impostor = block.distances, block.genuine, block.impostor
    # A GPU is not asked how many positives an anchor has at most, but sorts all rows.
    most = int(genuine.sum(1).max()) if distances.device.type == "cpu" else genuine.shape[1]
    positives, columns = distances.where(genuine, torch.inf).topk(max(most, 1), largest=False)  # (C, P)
    # A negative is semi-hard to the positives [first, last) in that order. Rounding could leave none
    # between a distance and the same plus a small margin, and so turn the two round.
    ends = torch.maximum(positives + margin, positives.nextafter(positives.new_full((), torch.inf)))
    negatives = distances.where(impostor, -1)
    first = torch.searchsorted(ends, negatives, right=True)  # (C, B)
    last = torch.searchsorted(positives, negatives)
    # Each adds one to its run of positives: a step up where it begins, one down where it ends.
    steps = columns.new_zeros((len(distances), positives.shape[1] + 1))
    one = columns.new_ones(()).expand_as(first)
    steps.scatter_add_(1, first, one).scatter_add_(1, last, -one)
    runs = steps.cumsum(1)[:, :-1]  # (C, P), 0 behind an anchor's last positive
    weights = (first - last).scatter_add_(1, columns, runs)  # where a positive is, both are 0
    return weights.to(distances.dtype), runs.sum()


def _scales(weights: Tensor, distances: Tensor, squared: bool) -> Tensor:
    """What x - y is multiplied by in the gradient of the sum of weights times distances.

    The gradient of a distance is (x - y) / |x - y|, here 0 where both coincide; that of its square 2 (x - y).
    """
    return 2 * weights if squared else torch.where(distances > 0, weights / distances, 0)
