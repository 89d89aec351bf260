from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from facenet_lit.batch import Rows
from facenet_lit.distances import paired_distances
from facenet_lit.errors import UserError
from facenet_lit.losses.loss import LossSum
from facenet_lit.losses.triplet import TripletLoss


def unit_rows(count: int, size: int, seed: int) -> Tensor:
    rows = torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return nn.functional.normalize(rows, dim=1)


def as_rows(embeddings: Tensor) -> Rows:
    """The loss looks at embeddings alone; who they are, the miner knew."""
    nobody = torch.zeros(len(embeddings), dtype=torch.long)
    return Rows(embeddings, nobody, nobody)


def random_triplets(count: int, anchors: int, rows: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    columns = [torch.randint(limit, (count,), generator=generator) for limit in (anchors, rows, rows)]
    return torch.stack(columns, 1)


def loss_by_loop(
    anchors: Tensor, rows: Tensor, triplets: Tensor, margin: float, squared: bool, mean_over: str, soft: bool
) -> tuple[float, int, int]:
    total, active = 0.0, 0
    for a, p, n in triplets.tolist():
        d_ap, d_an = (
            math.dist(anchors[a].tolist(), rows[p].tolist()),
            math.dist(anchors[a].tolist(), rows[n].tolist()),
        )
        gap = d_ap**2 - d_an**2 if squared else d_ap - d_an
        loss = math.log1p(math.exp(gap)) if soft else max(0.0, gap + margin)
        total += loss
        active += gap >= 0 if soft else loss > 0
    return total, len(triplets) if soft or mean_over == "all" else active, active


@given(
    st.integers(0, 2**31),
    st.integers(0, 30),
    st.floats(0, 1),
    st.booleans(),
    st.sampled_from(["active", "all"]),
    st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_loss_is_the_loop(
    seed: int, count: int, margin: float, squared: bool, mean_over: str, soft: bool
) -> None:
    anchors, rows = unit_rows(4, 3, seed), unit_rows(7, 3, seed + 1)
    triplets = random_triplets(count, 4, 7, seed)
    found = TripletLoss(margin, squared, mean_over, soft)(as_rows(anchors), as_rows(rows), triplets)
    total, mean_count, active = loss_by_loop(anchors, rows, triplets, margin, squared, mean_over, soft)
    assert found.total.item() == pytest.approx(total, abs=1e-9)
    assert (found.count.item(), found.active.item(), found.considered) == (mean_count, active, count)
    assert found.value.item() == pytest.approx(total / max(mean_count, 1), abs=1e-9)


@pytest.mark.parametrize("squared", [False, True])
def test_mean_over_all_is_torch_s(squared: bool) -> None:
    rows, triplets = unit_rows(20, 8, 0), random_triplets(50, 20, 20, 1)
    rows.requires_grad_()
    found = TripletLoss(0.3, squared, "all")(as_rows(rows), as_rows(rows), triplets).value
    by_distance = nn.TripletMarginWithDistanceLoss(
        margin=0.3, distance_function=lambda first, second: paired_distances(first, second, squared)
    )
    references = [by_distance] if squared else [by_distance, nn.TripletMarginLoss(margin=0.3, eps=0.0)]
    for reference in references:
        expected = reference(*(rows[column] for column in triplets.unbind(1)))
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(
            *(torch.autograd.grad(loss, rows, retain_graph=True) for loss in (found, expected))
        )


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("mean_over", ["active", "all"])
def test_gradient_is_that_of_finite_differences(soft: bool, squared: bool, mean_over: str) -> None:
    anchors, rows = unit_rows(3, 4, 2).requires_grad_(), unit_rows(6, 4, 3).requires_grad_()
    triplets = torch.tensor([[0, 1, 2], [1, 0, 5], [2, 3, 4], [0, 2, 1]])
    loss = TripletLoss(0.2, squared, mean_over, soft)
    assert torch.autograd.gradcheck(
        lambda a, r: loss(as_rows(a), as_rows(r), triplets).value, (anchors, rows)
    )


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("mean_over", ["active", "all"])
def test_collapsed_embeddings_cost_the_margin_and_have_a_finite_gradient(
    squared: bool, mean_over: str
) -> None:
    rows = torch.full((4, 4), 0.5, requires_grad=True)
    found = TripletLoss(0.25, squared, mean_over)(as_rows(rows), as_rows(rows), random_triplets(9, 4, 4, 0))
    assert found.value.item() == 0.25
    assert found.active.item() == 9
    found.value.backward()
    assert rows.grad is not None
    assert torch.isfinite(rows.grad).all()


def test_collapsed_embeddings_with_soft_margin_cost_log_two() -> None:
    rows = torch.full((4, 4), 0.5, requires_grad=True)
    found = TripletLoss(soft_margin=True)(as_rows(rows), as_rows(rows), random_triplets(9, 4, 4, 0))
    assert found.value.item() == pytest.approx(math.log(2))
    assert (found.active.item(), found.count.item()) == (9, 9)


def zero_gradients(anchors: Tensor, rows: Tensor, found: LossSum) -> bool:
    found.value.backward()
    return all(part.grad is not None and not part.grad.any() for part in (anchors, rows))


@pytest.mark.parametrize("arguments", [{}, {"mean_over": "all"}, {"soft_margin": True}, {"squared": True}])
def test_no_triplet_gives_zero_gradients(arguments: dict[str, Any]) -> None:
    anchors, rows = unit_rows(3, 4, 0).requires_grad_(), unit_rows(5, 4, 1).requires_grad_()
    found = TripletLoss(**arguments)(as_rows(anchors), as_rows(rows), torch.empty((0, 3), dtype=torch.long))
    assert found.value.item() == 0
    assert (found.count.item(), found.active.item(), found.considered) == (0, 0, 0)
    assert zero_gradients(anchors, rows, found)


def test_no_active_triplet_gives_zero_gradients() -> None:
    anchors = torch.tensor([[1.0, 0.0]], requires_grad=True)
    rows = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], requires_grad=True)
    found = TripletLoss()(as_rows(anchors), as_rows(rows), torch.tensor([[0, 0, 1]]))
    assert (found.value.item(), found.count.item(), found.considered) == (0, 0, 1)
    assert zero_gradients(anchors, rows, found)


def test_half_embeddings_are_scored_in_full() -> None:
    half = unit_rows(10, 8, 0).bfloat16()
    triplets = random_triplets(30, 10, 10, 0)
    found, expected = (TripletLoss()(as_rows(rows), as_rows(rows), triplets) for rows in (half, half.float()))
    assert found.total.dtype == torch.float32
    assert torch.equal(found.total, expected.total)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"margin": -0.1}, "loss.margin"),
        ({"margin": "wide"}, "loss.margin"),
        ({"squared": 1}, "loss.squared"),
        ({"mean_over": "some"}, "loss.mean_over"),
        ({"soft_margin": "yes"}, "loss.soft_margin"),
    ],
)
def test_bad_settings_are_named(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(UserError, match=name):
        TripletLoss(**arguments)
