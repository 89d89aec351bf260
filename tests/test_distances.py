from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from facenet_lit.batch import Rows
from facenet_lit.distances import ANCHORS_AT_ONCE, pair_blocks, paired_distances, safe_sqrt


def normal(rows: int, size: int, seed: int) -> Tensor:
    return torch.randn(rows, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def as_rows(embeddings: Tensor) -> Rows:
    numbers = torch.arange(len(embeddings))
    return Rows(embeddings, numbers % 7, numbers % 40, numbers // 40)


@pytest.mark.parametrize("squared", [False, True])
def test_distances_are_those_of_the_standard_library(squared: bool) -> None:
    first, second = normal(5, 3, 0), normal(7, 3, 1)
    expected = [[math.dist(x, y) ** (2 if squared else 1) for y in second.tolist()] for x in first.tolist()]
    matrix = torch.tensor(expected, dtype=torch.float64)
    (block,) = pair_blocks(as_rows(first), as_rows(second), squared, views=False)
    torch.testing.assert_close(block.distances, matrix)
    torch.testing.assert_close(paired_distances(first, second[:5], squared), matrix.diagonal())


@pytest.mark.parametrize("views", [False, True])
def test_blocks_are_parts_of_the_whole(views: bool) -> None:
    anchors, rows = as_rows(normal(2 * ANCHORS_AT_ONCE + 3, 16, 0)), as_rows(normal(50, 16, 1))
    blocks = list(pair_blocks(anchors, rows, squared=False, views=views))
    assert [len(block.distances) for block in blocks] == [ANCHORS_AT_ONCE, ANCHORS_AT_ONCE, 3]
    taken = torch.cat([torch.arange(len(anchors.numbers))[block.anchors] for block in blocks])
    assert taken.tolist() == list(range(len(anchors.numbers)))
    distances = torch.cat([block.distances for block in blocks])
    torch.testing.assert_close(distances, torch.cdist(anchors.embeddings, rows.embeddings))
    genuine, impostor = anchors.pairs_with(rows, views)
    assert torch.equal(torch.cat([block.genuine for block in blocks]), genuine)
    assert torch.equal(torch.cat([block.impostor for block in blocks]), impostor)
    assert not list(pair_blocks(as_rows(normal(0, 16, 0)), rows, squared=False, views=views))


@pytest.mark.parametrize("squared", [False, True])
def test_gradients_are_those_of_finite_differences(squared: bool) -> None:
    first, second = normal(4, 3, 2).requires_grad_(), normal(4, 3, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, y: paired_distances(x, y, squared), (first, second))


def test_coinciding_rows_are_at_zero_with_a_finite_gradient() -> None:
    embeddings = torch.full((3, 4), 0.5, requires_grad=True)
    (block,) = pair_blocks(as_rows(embeddings), as_rows(embeddings), squared=False, views=False)
    assert not block.distances.any()
    assert not block.distances.requires_grad
    found = paired_distances(embeddings, embeddings)
    assert not found.any()
    found.sum().backward()
    assert embeddings.grad is not None
    assert torch.isfinite(embeddings.grad).all()


def test_rounding_below_zero_becomes_zero() -> None:
    embeddings = torch.nn.functional.normalize(normal(200, 64, 4).float(), dim=1)
    squares = embeddings.square().sum(1)
    assert (squares[:, None] + squares - 2 * embeddings @ embeddings.T < 0).any()  # there is rounding to mend
    (block,) = pair_blocks(as_rows(embeddings), as_rows(embeddings), squared=False, views=False)
    assert block.distances.min() >= 0
    assert torch.isfinite(block.distances).all()


def test_safe_sqrt_is_exact_and_flat_at_zero() -> None:
    squared = torch.tensor([0.0, 1e-12, 0.25, 4.0], dtype=torch.float64, requires_grad=True)
    roots = safe_sqrt(squared)
    assert roots.tolist() == [0.0, 1e-6, 0.5, 2.0]
    roots.sum().backward()
    assert squared.grad is not None
    torch.testing.assert_close(squared.grad, torch.tensor([0.0, 5e5, 1.0, 0.25], dtype=torch.float64))
