from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import TripletMarginMiner
from random_rows import batch, take
from torch import Tensor
from torch.nn.functional import normalize

from facenet_lit.batch import Rows
from facenet_lit.distances import ANCHORS_AT_ONCE, paired_distances
from facenet_lit.errors import UserError
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.mining import AllMiner

NONE = torch.empty((0, 3), dtype=torch.long)


@given(
    st.integers(1, 24),
    st.integers(1, 20),
    st.integers(1, 6),
    st.integers(0, 2**31),
    st.floats(0.01, 1.5),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_it_is_the_triplet_loss_of_every_semi_hard_triplet(
    size: int, images: int, identities: int, seed: int, margin: float, squared: bool, views: bool
) -> None:
    rows = batch(size, images, identities, seed)
    anchors = take(rows, torch.randperm(size, generator=torch.Generator().manual_seed(seed))[: size // 2 + 1])
    embeddings = [part.embeddings.requires_grad_() for part in (anchors, rows)]
    every = AllMiner(views)(anchors, rows)
    a, p, n = every.unbind(1)
    gap = paired_distances(anchors.embeddings[a], rows.embeddings[n], squared) - paired_distances(
        anchors.embeddings[a], rows.embeddings[p], squared
    )
    chosen = every[(gap > 0) & (gap < margin)]
    expected = TripletLoss(margin, squared)(anchors, rows, chosen)
    found = SemiHardMeanLoss(margin, squared, views)(anchors, rows, NONE)
    assert (int(found.count), int(found.active), found.considered) == (len(chosen), len(chosen), len(every))
    assert found.total.item() == pytest.approx(expected.total.item(), abs=1e-9)
    for mine, theirs in zip(
        torch.autograd.grad(found.value, embeddings, allow_unused=True),
        torch.autograd.grad(expected.value, embeddings, allow_unused=True),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("squared", [False, True])
def test_it_is_the_mean_of_another_library(squared: bool) -> None:
    distance = LpDistance(normalize_embeddings=False, power=2 if squared else 1)
    miner = TripletMarginMiner(margin=0.2, type_of_triplets="semihard", distance=distance)
    loss = TripletMarginLoss(margin=0.2, distance=distance)
    rows = batch(300, 300, 60, 0)._replace(numbers=torch.arange(300))
    rows = rows._replace(identities=rows.numbers // 5)
    embeddings = rows.embeddings.requires_grad_()
    values = (
        SemiHardMeanLoss(squared=squared)(rows, rows, NONE).value,
        loss(embeddings, rows.identities, miner(embeddings, rows.identities)),
    )
    torch.testing.assert_close(*values, rtol=1e-6, atol=0)
    ours, theirs = (torch.autograd.grad(value, embeddings)[0] for value in values)
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("squared", [False, True])
def test_the_gradient_is_that_of_finite_differences(squared: bool) -> None:
    first, rows = batch(8, 30, 6, 2), batch(30, 30, 6, 1)
    inputs = [part.embeddings.requires_grad_() for part in (first, rows)]

    def total(own: Tensor, others: Tensor) -> Tensor:
        loss = SemiHardMeanLoss(0.3, squared)
        return loss(first._replace(embeddings=own), rows._replace(embeddings=others), NONE).total

    assert torch.autograd.gradcheck(total, inputs)


def test_many_anchors_are_scored_in_blocks() -> None:
    rows = batch(2 * ANCHORS_AT_ONCE + 5, 400, 60, 3)
    embeddings = rows.embeddings.requires_grad_()
    whole = SemiHardMeanLoss()(rows, rows, NONE)
    (gradient,) = torch.autograd.grad(whole.total, embeddings)
    parts = [
        SemiHardMeanLoss()(take(rows, some), rows, NONE) for some in torch.arange(len(embeddings)).split(100)
    ]
    assert int(whole.count) == sum(int(part.count) for part in parts) > 0
    assert whole.considered == sum(part.considered for part in parts)
    total = torch.stack([part.total for part in parts]).sum()
    torch.testing.assert_close(whole.total, total)
    torch.testing.assert_close(gradient, torch.autograd.grad(total, embeddings)[0])


def test_a_margin_below_rounding_leaves_no_triplet() -> None:
    # The negatives are as far as the positives, and 1 + 1e-9 is 1 in float32.
    embeddings = torch.tensor([[0.0], [1.0], [-1.0], [1.0]], requires_grad=True)
    rows = Rows(embeddings, torch.tensor([0, 0, 1, 1]), torch.arange(4))
    found = SemiHardMeanLoss(margin=1e-9)(rows, rows, NONE)
    assert (found.value.item(), int(found.count), found.considered) == (0, 0, 8)
    found.value.backward()
    assert embeddings.grad is not None
    assert not embeddings.grad.any()


def test_single_precision_keeps_the_sum() -> None:
    rows = batch(300, 300, 40, 0)
    rows = rows._replace(embeddings=normalize(torch.randn(300, 64, generator=torch.manual_seed(0)), dim=1))
    single = SemiHardMeanLoss()(rows, rows, NONE)
    double = SemiHardMeanLoss()(*[rows._replace(embeddings=rows.embeddings.double())] * 2, NONE)
    assert single.total.dtype == torch.float32
    assert single.value.item() == pytest.approx(double.value.item(), rel=1e-4)


@pytest.mark.parametrize("rows_with", [1, 6])
def test_what_is_no_number_shows(rows_with: int) -> None:
    embeddings = normalize(torch.randn(6, 4, generator=torch.manual_seed(0)), dim=1)
    embeddings[:rows_with] = torch.nan
    rows = Rows(embeddings, torch.arange(6) // 2, torch.arange(6))
    assert SemiHardMeanLoss()(rows, rows, NONE).value.isnan()


@pytest.mark.parametrize("identities", [[0, 0, 0], [0, 1, 2]])
def test_nothing_to_score_gives_zero_gradients(identities: list[int]) -> None:
    embeddings = torch.eye(3, requires_grad=True)
    rows = Rows(embeddings, torch.tensor(identities), torch.arange(3))
    found = SemiHardMeanLoss()(rows, rows, NONE)
    assert (found.value.item(), int(found.count), found.considered) == (0, 0, 0)
    found.value.backward()
    assert embeddings.grad is not None
    assert not embeddings.grad.any()


def test_collapsed_embeddings_have_no_semi_hard_triplet_and_a_finite_gradient() -> None:
    embeddings = torch.full((6, 4), 0.5, requires_grad=True)
    rows = Rows(embeddings, torch.arange(6) // 2, torch.arange(6))
    found = SemiHardMeanLoss()(rows, rows, NONE)
    assert (int(found.active), found.considered) == (0, 24)
    found.value.backward()
    assert embeddings.grad is not None
    assert torch.isfinite(embeddings.grad).all()


@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"margin": 0}, "loss.margin"), ({"squared": 1}, "loss.squared"), ({"views": 2}, "loss.views")],
)
def test_bad_settings_are_named(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(UserError, match=name):
        SemiHardMeanLoss(**arguments)
