"""What is measured of the embeddings of a batch, and of the step that they were in."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from facenet_lit.batch import Rows

MOST_ROWS = (
    256  # of a batch that are looked at: enough for a rank of a hundred, few enough to cost milliseconds
)


class Shape(NamedTuple):
    """How embeddings lie.

    Attributes:
        effective_rank: in how many dimensions they differ, see :func:`effective_rank`.
        spread: root of their mean squared distance from their mean: 0 in one point, 1 all around the sphere.
        genuine_distance: mean over genuine pairs; None where there is none.
        impostor_distance: mean over impostor pairs; None where there is none.
        unmined_loss: mean hinge of triplets that nobody chose, inactive ones included, as ``val/loss`` is told; None
            where there is none.
        room: dimensions that the rows could differ in if each identity were one point: fewer than those of an
            embedding where there are few identities.
    """

    effective_rank: float
    spread: float
    genuine_distance: float | None
    impostor_distance: float | None
    unmined_loss: float | None
    room: int


class Vitals(NamedTuple):
    """One look at a run.

    Attributes:
        step: steps done.
        loss: mean over the steps since the last look.
        active_share: of the triplets, or rows, that the loss considered in those steps; None where it had none.
        gradient_norm: of all parameters, before it is limited.
        least_spread: of the embeddings of those steps.
        shape: of the step's embeddings; None where they are not finite.
    """

    step: int
    loss: float
    active_share: float | None
    gradient_norm: float
    least_spread: float
    shape: Shape | None

    def figures(self) -> dict[str, float]:
        """What there is, by the name that it is logged under."""
        named: dict[str, float | None] = {
            "loss": self.loss,
            "active_share": self.active_share,
            "gradient_norm": self.gradient_norm,
        }
        named["least_spread"] = self.least_spread if math.isfinite(self.least_spread) else None
        named |= {} if self.shape is None else self.shape._asdict()
        named.pop("room", None)
        return {f"health/{name}": value for name, value in named.items() if value is not None}


@torch.no_grad()
def shape_of(rows: Rows, margin: float, squared: bool = False) -> Shape | None:
    """Measures the embeddings of a batch, or of its first 256 rows.

    Args:
        rows: embeddings (N, D), unit vectors.
        margin: of the triplets that ``unmined_loss`` is told of.
        squared: their distances are squared.

    Returns:
        None where an embedding is not finite.
    """
    first = Rows(*(None if part is None else part[:MOST_ROWS].cpu() for part in rows))  # type: ignore[arg-type]
    embeddings = first.embeddings.double()
    if not embeddings.isfinite().all():
        return None
    centred = embeddings - embeddings.mean(0)
    products = centred @ centred.T  # (N, N); in float64, which leaves equal rows 1e-7 apart at most
    norms = products.diagonal()
    distances = (norms[:, None] + norms - 2 * products).clamp_min(0).sqrt()
    genuine, impostor = first.pairs_with(first)
    return Shape(
        effective_rank(centred),
        float(centred.square().sum(1).mean().sqrt()),
        _mean(distances[genuine]),
        _mean(distances[impostor]),
        _mean(_hinges(distances.square() if squared else distances, genuine, impostor, margin)),
        min(embeddings.shape[1], len(first.identities.unique()) - 1),
    )


def spread_of(embeddings: Tensor) -> Tensor:
    """Root mean squared distance of (N, D) embeddings from their mean: a scalar, where they are.

    Good enough to compare with a limit: rounding leaves up to 0.001 of a spread of 0.
    """
    return (embeddings.square().sum(1).mean() - embeddings.mean(0).square().sum()).clamp_min(0).sqrt()


def effective_rank(matrix: Tensor) -> float:
    """The number of dimensions that rows lie in, each counted by how much of their variance is in it.

    exp of the entropy of the eigenvalues of the rows' products as shares of their sum: the effective rank of the
    covariance (Roy and Vetterli, The Effective Rank, EUSIPCO 2007, definition 1). Of the rows themselves, by singular
    values, a noise of a hundredth in every dimension would count for twenty dimensions. It is 1 for rows along one
    line, k for rows spread evenly over k dimensions, and 0 where all are zero.

    Args:
        matrix: (N, D), finite.
    """
    rows, columns = matrix.shape
    products = matrix @ matrix.T if rows < columns else matrix.T @ matrix
    values = torch.linalg.eigvalsh(products.double()).clamp_min(0)
    total = float(values.sum())
    return 0.0 if total == 0 else math.exp(float(torch.special.entr(values / total).sum()))


def _hinges(distances: Tensor, genuine: Tensor, impostor: Tensor, margin: float) -> Tensor:
    """(T,) losses, a triplet for each genuine pair; its negatives go round, so that all have their turn."""
    anchor, positive = genuine.nonzero(as_tuple=True)
    counts = impostor.sum(1)[anchor]
    anchor, positive, counts = (part[counts > 0] for part in (anchor, positive, counts))
    # By a prime, that neighbours get negatives which are none.
    nth = torch.arange(len(anchor)) * 7919 % counts.clamp_min(1)
    order = impostor.int().argsort(dim=1, descending=True, stable=True)  # (N, N) each row's negatives first
    negative = order[anchor, nth]
    return (distances[anchor, positive] - distances[anchor, negative] + margin).clamp_min(0)


def _mean(values: Tensor) -> float | None:
    return float(values.mean()) if len(values) else None
