"""Euclidean distances of embeddings, with gradients that stay finite where two embeddings coincide."""

from __future__ import annotations

import torch
from torch import Tensor


def safe_sqrt(squared: Tensor) -> Tensor:
    """Square root of values >= 0 whose gradient at 0 is 0.

    The square root has no gradient at 0, and an epsilon under the root would shift every distance. So the
    zeros are masked: the value there is exactly 0 and no gradient flows through it.
    """
    zero = squared <= 0
    return torch.where(zero, 0.0, torch.sqrt(torch.where(zero, 1.0, squared)))


def pairwise_distances(first: Tensor, second: Tensor, squared: bool = False) -> Tensor:
    """Distance of every row of ``first`` (A, D) to every row of ``second`` (B, D).

    Computed as |x|^2 + |y|^2 - 2 x.y, one matrix product; what rounding leaves below 0 becomes 0. Good enough
    to mine by: float32 unit vectors that coincide may be 0.001 apart. Rates are told by exact distances.

    Returns:
        (A, B) Euclidean distances, or their squares.
    """
    products = first @ second.T  # (A, B)
    norms = first.square().sum(1)[:, None] + second.square().sum(1)[None, :]
    result = (norms - 2 * products).clamp_min(0)
    return result if squared else safe_sqrt(result)


def paired_distances(first: Tensor, second: Tensor, squared: bool = False) -> Tensor:
    """Distance of each row of ``first`` (T, D) to the same row of ``second`` (T, D).

    Computed from the differences, so that equal rows are at exactly 0.

    Returns:
        (T,) Euclidean distances, or their squares.
    """
    result = (first - second).square().sum(1)
    return result if squared else safe_sqrt(result)
