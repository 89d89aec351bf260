"""Every genuine pair of a batch against all its rows, by a softmax: the supervised contrastive loss."""

from __future__ import annotations

import torch
from torch import Tensor

from facenet_lit.batch import Rows
from facenet_lit.errors import check_flag, check_number
from facenet_lit.losses.loss import Loss, LossSum
from facenet_lit.precision import in_full


class SupervisedContrastiveLoss(Loss):
    """Cross-entropy of picking an anchor's positives out of all other rows, by cosine over temperature.

    Khosla et al. 2020, Supervised Contrastive Learning, equation 2 (the sum over positives outside the logarithm):
    for an anchor with positives P, the mean over p in P of -log(exp(s(a, p) / t) / sum over r of exp(s(a, r) / t)),
    where r are all rows that are a pair with the anchor, positives included. All negatives have a part in the
    gradient, the close ones most, where a triplet has one; so it learns more from a step, and can't stand at a
    margin: of embeddings in one point it is log(pairs of an anchor), with a gradient as soon as they part.

    An anchor counts as active where its closest other row is of another identity. Memory is O(A B).

    Args:
        temperature: t, above 0; smaller, and the closest negatives count for more.
        views: two rows of one image, augmented each in its own way, are a genuine pair as well.

    Raises:
        UserError: a setting is out of range.
    """

    needs_triplets = False

    def __init__(self, temperature: float = 0.1, views: bool = False) -> None:
        super().__init__()
        self.temperature = check_number("loss.temperature", temperature, above=True)
        self.views = check_flag("loss.views", views)

    def forward(self, anchors: Rows, rows: Rows, triplets: Tensor) -> LossSum:
        """Scores the anchors that have a positive, see ``Loss``."""
        genuine, impostor = anchors.pairs_with(rows, self.views)  # (A, B)
        own, others = in_full(anchors.embeddings), in_full(rows.embeddings)
        with torch.autocast(own.device.type, enabled=False):
            logits = own @ others.T / self.temperature
        # Not infinity, whose gradient would be no number in a batch without pairs.
        logits = logits.masked_fill(~(genuine | impostor), torch.finfo(logits.dtype).min)
        unlike = logits.logsumexp(1, keepdim=True) - logits  # -log of the share of each row
        positives = genuine.sum(1)
        total = (torch.where(genuine, unlike, 0).sum(1) / positives.clamp_min(1)).sum()
        scored = positives > 0
        nearest = logits.argmax(1, keepdim=True)
        active = (scored & ~genuine.gather(1, nearest).squeeze(1)).sum()
        return LossSum(total, scored.sum(), active, torch.full_like(active, len(own)))
