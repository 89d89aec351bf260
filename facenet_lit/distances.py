"""Euclidean distances of embeddings, with gradients that stay finite where two embeddings coincide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from facenet_lit.batch import Rows

ANCHORS_AT_ONCE = 512  # few enough for the cache to hold what is made of them, enough for a fast product


class PairBlock(NamedTuple):
    """Some of the A anchors, and their pairs with all B rows.

    Attributes:
        anchors: which C of them.
        distances: (C, B) Euclidean distances, or their squares.
        genuine: (C, B) whether they are a genuine pair.
        impostor: (C, B) whether they are an impostor pair.
    """

    anchors: slice
    distances: Tensor
    genuine: Tensor
    impostor: Tensor


def safe_sqrt(squared: Tensor) -> Tensor:
    """Square root of values >= 0 whose gradient at 0 is 0.

    The square root has no gradient at 0, and an epsilon under the root would shift every distance. So the
    zeros are masked: the value there is exactly 0 and no gradient flows through it.
    """
    zero = squared <= 0
    return torch.where(zero, 0.0, torch.sqrt(torch.where(zero, 1.0, squared)))


@torch.no_grad()
def pair_blocks(anchors: Rows, rows: Rows, squared: bool, views: bool) -> Iterator[PairBlock]:
    """The pairs of A anchors and B rows, block by block, so that nothing as large as (A, B) is held; no gradient.

    Distances are computed as |x|^2 + |y|^2 - 2 x.y, one matrix product; what rounding leaves below 0 becomes 0.
    Good enough to mine by: float32 unit vectors that coincide may be 0.001 apart. Rates are told by exact
    distances.

    Args:
        anchors: embeddings (A, D).
        rows: embeddings (B, D).
        squared: distances are squared.
        views: two different views of one image are a genuine pair too.
    """
    norms = rows.embeddings.square().sum(1)
    for start in range(0, len(anchors.numbers), ANCHORS_AT_ONCE):
        block = slice(start, start + ANCHORS_AT_ONCE)
        some = Rows(*(part[block] for part in anchors if part is not None))
        sums = some.embeddings.square().sum(1)[:, None] + norms  # (C, B)
        squares = sums.addmm_(some.embeddings, rows.embeddings.T, alpha=-2).clamp_min_(0)
        yield PairBlock(block, squares if squared else squares.sqrt_(), *some.pairs_with(rows, views))


def paired_distances(first: Tensor, second: Tensor, squared: bool = False) -> Tensor:
    """Distance of each row of ``first`` (T, D) to the same row of ``second`` (T, D).

    Computed from the differences, so that equal rows are at exactly 0.

    Returns:
        (T,) Euclidean distances, or their squares.
    """
    result = (first - second).square().sum(1)
    return result if squared else safe_sqrt(result)
