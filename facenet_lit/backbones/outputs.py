"""What a loss sees of the head's output: unit vectors, or one of two things that were taken for them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

OUTPUTS = ("l2", "absolute", "l2_over_batch")
# Rows shorter than this are not stretched to length 1: a zero row stays zero, and its gradient finite.
SHORTEST = 1e-6

WARNINGS = {
    "absolute": "model.output=absolute: training sees |x|, no normalisation at all; evaluation scales rows to length 1",
    "l2_over_batch": "model.output=l2_over_batch: training scales each dimension over the rows of a batch, not each "
    "row over its dimensions; evaluation scales rows to length 1",
}


def unit(values: Tensor) -> Tensor:
    """(N, D) rows scaled to length 1; a zero row stays zero."""
    return F.normalize(values, dim=1, eps=SHORTEST)


def training_output(values: Tensor, output: str) -> Tensor:
    """What the loss gets.

    Args:
        values: (N, D) of the head.
        output: ``l2``: rows of length 1 (Schroff et al. 2015, section 3.1). ``absolute``: sqrt(x^2) of every
            number, which is |x|. ``l2_over_batch``: dimensions of length 1 over the N rows: normalised over the
            wrong axis, so that a row's numbers depend on the others'.

    Returns:
        (N, D).
    """
    if output == "absolute":
        return values.abs()
    return F.normalize(values, dim=0, eps=SHORTEST) if output == "l2_over_batch" else unit(values)


def embedding(values: Tensor, output: str) -> Tensor:
    """(N, D) unit vectors, whatever the loss got: what is scored is an embedding."""
    return unit(torch.abs(values) if output == "absolute" else values)
