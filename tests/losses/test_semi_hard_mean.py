from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import normalize

from facenet_lit.batch import Rows, count_views
from facenet_lit.distances import paired_distances
from facenet_lit.errors import UserError
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.mining import AllMiner

NONE = torch.empty((0, 3), dtype=torch.long)


def batch(size: int, images: int, identities: int, seed: int) -> Rows:
    generator = torch.Generator().manual_seed(seed)
    embeddings = normalize(torch.randn(size, 4, generator=generator, dtype=torch.float64), dim=1)
    numbers = torch.randint(images, (size,), generator=generator)
    identity_of = torch.randint(identities, (images,), generator=generator)
    return Rows(embeddings, identity_of[numbers], numbers, torch.from_numpy(count_views(numbers.numpy())))


def take(rows: Rows, chosen: Tensor) -> Rows:
    return Rows(*(None if part is None else part[chosen] for part in rows))


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
