"""Softmax over the training identities, with a margin in the angle or in the cosine."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facenet_lit.batch import Rows
from facenet_lit.distances import safe_sqrt
from facenet_lit.errors import check_choice, check_number
from facenet_lit.losses.loss import Loss, LossSum
from facenet_lit.precision import in_full

# Greatest margin: an angle of 90 degrees, and the distance of two opposite cosines.
KINDS = {"arcface": math.pi / 2, "cosface": 2.0}


class MarginSoftmaxLoss(Loss):
    """Cross-entropy over the training identities, each a learnt direction c, of scale * cosine(x, c).

    To the cosine of a row's own identity comes a margin: ``arcface``, cos(angle + margin), Deng et al. 2019,
    ArcFace, equation 3; ``cosface``, cos(angle) - margin, Wang et al. 2018, CosFace, equation 4. Where angle +
    margin is beyond 180 degrees and the cosine would rise again, ``arcface`` goes on falling as
    cos(angle) - margin * sin(margin).

    A row counts as active where another identity's direction is nearer than its own.

    Args:
        kind: ``arcface`` or ``cosface``.
        margin: in radians, at most pi / 2, or in cosine, at most 2.
        scale: above 0; the cosines alone are too close together for a softmax.

    Raises:
        UserError: a setting is out of range.
    """

    needs_triplets = False

    def __init__(self, kind: str = "arcface", margin: float = 0.5, scale: float = 32.0) -> None:
        super().__init__()
        self.kind = check_choice("loss.kind", kind, KINDS)
        self.margin = check_number("loss.margin", margin, 0, KINDS[self.kind])
        self.scale = check_number("loss.scale", scale, above=True)
        self.directions = nn.Parameter(torch.empty(0, 0))
        self.identities: Tensor
        self.register_buffer("identities", torch.empty(0, dtype=torch.long))

    def set_up(self, identities: Tensor, embedding_size: int) -> None:
        """Draws a direction for each identity, evenly over the sphere, by torch's generator."""
        self.identities = identities.unique()  # (I,) ascending
        self.directions = nn.Parameter(torch.randn(len(self.identities), embedding_size))

    def forward(self, anchors: Rows, rows: Rows, triplets: Tensor) -> LossSum:
        """Scores the anchors, see ``Loss``.

        Raises:
            ValueError: one of them is of an identity that ``set_up`` was not told of.
        """
        labels = torch.searchsorted(self.identities, anchors.identities)  # (A,)
        known = self.identities[labels.clamp_max(len(self.identities) - 1)] == anchors.identities
        if known.device.type != "cpu":  # a GPU is not waited for: it stops by itself
            torch._assert_async(known.all())
        elif not known.all():
            raise ValueError(f"{int((~known).sum())} rows are of identities that are not trained on")
        embeddings = in_full(anchors.embeddings)
        with torch.autocast(embeddings.device.type, enabled=False):
            directions = F.normalize(in_full(self.directions), dim=1).to(embeddings.dtype)
            cosines = (embeddings @ directions.T).clamp(-1, 1)  # (A, I)
        own = cosines.gather(1, labels[:, None])  # (A, 1)
        logits = self.scale * cosines.scatter(1, labels[:, None], self._with_margin(own))
        total = F.cross_entropy(logits, labels, reduction="sum")
        active = (cosines.argmax(1) != labels).sum()
        count = torch.full_like(active, len(labels))
        return LossSum(total, count, active, count)

    def _with_margin(self, own: Tensor) -> Tensor:
        """The cosine of each row to its own identity, (A, 1), with the margin in it."""
        if self.kind == "cosface":
            return own - self.margin
        sines = safe_sqrt((1 - own.square()).clamp_min(0))
        turned = own * math.cos(self.margin) - sines * math.sin(self.margin)
        return torch.where(own >= -math.cos(self.margin), turned, own - self.margin * math.sin(self.margin))
