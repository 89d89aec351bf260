from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from facenet_lit.distances import paired_distances, pairwise_distances, safe_sqrt


def normal(rows: int, size: int, seed: int) -> Tensor:
    return torch.randn(rows, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("squared", [False, True])
def test_distances_are_those_of_the_standard_library(squared: bool) -> None:
    first, second = normal(5, 3, 0), normal(7, 3, 1)
    expected = [[math.dist(x, y) ** (2 if squared else 1) for y in second.tolist()] for x in first.tolist()]
    matrix = torch.tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(pairwise_distances(first, second, squared), matrix)
    torch.testing.assert_close(paired_distances(first, second[:5], squared), matrix.diagonal())


def test_pairwise_distances_are_torch_s() -> None:
    first, second = normal(50, 16, 0), normal(30, 16, 1)
    torch.testing.assert_close(pairwise_distances(first, second), torch.cdist(first, second))


@pytest.mark.parametrize("squared", [False, True])
def test_gradients_are_those_of_finite_differences(squared: bool) -> None:
    first, second = normal(4, 3, 2).requires_grad_(), normal(4, 3, 3).requires_grad_()
    for function in (pairwise_distances, paired_distances):
        assert torch.autograd.gradcheck(lambda x, y, f=function: f(x, y, squared), (first, second))


@pytest.mark.parametrize("function", [pairwise_distances, paired_distances])
def test_coinciding_rows_are_at_zero_with_a_finite_gradient(function) -> None:  # type: ignore[no-untyped-def]
    rows = torch.full((3, 4), 0.5, requires_grad=True)
    found = function(rows, rows)
    assert not found.any()
    found.sum().backward()
    assert rows.grad is not None
    assert torch.isfinite(rows.grad).all()


def test_rounding_below_zero_becomes_zero() -> None:
    rows = torch.nn.functional.normalize(normal(500, 64, 4).float(), dim=1)
    products = rows @ rows.T
    assert (2 - 2 * products < 0).any()  # there is rounding to mend
    found = pairwise_distances(rows, rows)
    assert found.min() >= 0
    assert torch.isfinite(found).all()


def test_safe_sqrt_is_exact_and_flat_at_zero() -> None:
    squared = torch.tensor([0.0, 1e-12, 0.25, 4.0], dtype=torch.float64, requires_grad=True)
    roots = safe_sqrt(squared)
    assert roots.tolist() == [0.0, 1e-6, 0.5, 2.0]
    roots.sum().backward()
    assert squared.grad is not None
    torch.testing.assert_close(squared.grad, torch.tensor([0.0, 5e5, 1.0, 0.25], dtype=torch.float64))
