from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning.losses import SupConLoss
from random_rows import batch, take
from torch.nn.functional import normalize

from facenet_lit.batch import Rows
from facenet_lit.errors import UserError
from facenet_lit.losses.supervised_contrastive import SupervisedContrastiveLoss

NONE = torch.empty((0, 3), dtype=torch.long)


def is_pair(anchors: Rows, a: int, rows: Rows, b: int, views: bool) -> bool:
    if anchors.numbers[a] != rows.numbers[b]:
        return True
    assert anchors.views is not None
    assert rows.views is not None
    return views and bool(anchors.views[a] != rows.views[b])


@given(
    st.integers(1, 16),
    st.integers(1, 14),
    st.integers(1, 6),
    st.integers(0, 2**31),
    st.floats(0.02, 2),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_it_is_the_sum_of_the_equation(
    size: int, images: int, identities: int, seed: int, temperature: float, views: bool
) -> None:
    rows = batch(size, images, identities, seed)
    anchors = take(rows, torch.randperm(size, generator=torch.Generator().manual_seed(seed))[: size // 2 + 1])
    total, count, active = 0.0, 0, 0
    for a in range(len(anchors.numbers)):
        pairs = [b for b in range(size) if is_pair(anchors, a, rows, b, views)]
        same = {b for b in pairs if anchors.identities[a] == rows.identities[b]}
        cosine = {b: float(anchors.embeddings[a] @ rows.embeddings[b]) for b in pairs}
        whole = sum(math.exp(cosine[b] / temperature) for b in pairs)
        if same:
            count += 1
            total -= sum(math.log(math.exp(cosine[b] / temperature) / whole) for b in same) / len(same)
            active += max(cosine, key=cosine.__getitem__) not in same
    found = SupervisedContrastiveLoss(temperature, views)(anchors, rows, NONE)
    assert float(found.total) == pytest.approx(total, rel=1e-9, abs=1e-12)
    assert (int(found.count), int(found.active), found.considered) == (count, active, len(anchors.numbers))


def test_value_and_gradient_are_those_of_another_library() -> None:
    generator = torch.Generator().manual_seed(3)
    raw = torch.randn(40, 16, generator=generator, dtype=torch.float64)
    people = torch.randint(9, (40,), generator=generator)
    gradients, values = [], []
    for ours in (True, False):
        embeddings = raw.clone().requires_grad_()
        if ours:
            rows = Rows(normalize(embeddings, dim=1), people, torch.arange(40))
            value = SupervisedContrastiveLoss(0.07)(rows, rows, NONE).value
        else:
            value = SupConLoss(temperature=0.07)(embeddings, people)
        value.backward()
        gradients.append(embeddings.grad)
        values.append(value.item())
    assert values[0] == pytest.approx(values[1], rel=1e-9)
    torch.testing.assert_close(*gradients, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("people", [[0, 1, 2], [0], [0, 0, 0]])
def test_gradients_are_finite_with_nothing_to_score_and_in_one_point(people: list[int]) -> None:
    for embeddings in (torch.eye(3, 4)[: len(people)], torch.tensor([[1.0, 0, 0, 0]] * len(people))):
        embeddings.requires_grad_()
        rows = Rows(embeddings, torch.tensor(people), torch.arange(len(people)))
        found = SupervisedContrastiveLoss()(rows, rows, NONE)
        found.value.backward()
        assert embeddings.grad is not None
        assert embeddings.grad.isfinite().all()
        if len(set(people)) == len(people):
            assert (found.value.item(), int(found.count)) == (0.0, 0)
            assert not embeddings.grad.any()


def test_the_loss_of_one_point_is_the_log_of_the_pairs() -> None:
    rows = Rows(torch.tensor([[0.6, 0.8]] * 6), torch.arange(6) // 2, torch.arange(6))
    assert float(SupervisedContrastiveLoss()(rows, rows, NONE).value) == pytest.approx(math.log(5), rel=1e-6)


def test_bfloat16_rows_are_scored_in_full() -> None:
    rows = batch(12, 12, 4, 0)._replace(views=None)
    low = rows._replace(embeddings=rows.embeddings.to(torch.bfloat16))
    with torch.autocast("cpu", torch.bfloat16):
        found = SupervisedContrastiveLoss(0.05)(low, low, NONE)
    exact = rows._replace(embeddings=low.embeddings.float())
    assert found.total.dtype == torch.float32
    assert float(found.total) == float(SupervisedContrastiveLoss(0.05)(exact, exact, NONE).total)


@pytest.mark.parametrize("wrong", [{"temperature": 0}, {"temperature": "x"}, {"views": 1}])
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError, match=f"loss.{next(iter(wrong))}"):
        SupervisedContrastiveLoss(**wrong)  # type: ignore[arg-type]
