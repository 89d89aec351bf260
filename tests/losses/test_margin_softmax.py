from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning.losses import ArcFaceLoss, CosFaceLoss
from torch.nn import functional as F

from facenet_lit.batch import Rows
from facenet_lit.config_dir import config_dir
from facenet_lit.errors import UserError
from facenet_lit.losses.margin_softmax import MarginSoftmaxLoss

NONE = torch.empty((0, 3), dtype=torch.long)


def made(kind: str, margin: float, scale: float, people: list[int], size: int) -> MarginSoftmaxLoss:
    loss = MarginSoftmaxLoss(kind, margin, scale)
    loss.set_up(torch.tensor(people), size)
    return loss


def rows_of(people: list[int], count: int, size: int, seed: int) -> Rows:
    generator = torch.Generator().manual_seed(seed)
    embeddings = F.normalize(torch.randn(count, size, generator=generator), dim=1).requires_grad_()
    identities = torch.tensor(people)[torch.randint(len(people), (count,), generator=generator)]
    return Rows(embeddings, identities, torch.arange(count))


@given(
    st.sampled_from(["arcface", "cosface"]),
    st.lists(st.integers(0, 99), min_size=2, max_size=9, unique=True),
    st.integers(1, 12),
    st.floats(0.01, 1.5),
    st.floats(1, 64),
    st.integers(0, 2**31),
)
@settings(max_examples=60, deadline=None)
def test_it_is_that_of_pytorch_metric_learning(
    kind: str, people: list[int], count: int, margin: float, scale: float, seed: int
) -> None:
    torch.manual_seed(seed + 1)  # else directions and embeddings would be the same numbers
    loss = made(kind, margin, scale, people, 6)
    rows = rows_of(people, count, 6, seed)
    outputs = rows.embeddings.detach().mul(3).requires_grad_()
    rows = rows._replace(embeddings=F.normalize(outputs, dim=1))
    if kind == "arcface":
        reference = ArcFaceLoss(len(people), 6, margin=math.degrees(margin), scale=scale)
    else:
        reference = CosFaceLoss(len(people), 6, margin=margin, scale=scale)
    reference.W = torch.nn.Parameter(loss.directions.detach().T.clone())
    labels = torch.searchsorted(torch.tensor(sorted(people)), rows.identities)
    expected = reference(rows.embeddings, labels)
    found = loss(rows, rows, NONE)
    assert (int(found.count), found.considered) == (count, count)
    torch.testing.assert_close(found.value, expected, rtol=1e-4, atol=1e-4)
    # Theirs normalises once more, so gradients along a unit vector are compared behind its normalisation.
    mine = torch.autograd.grad(found.value, [outputs, loss.directions], retain_graph=True)
    theirs = torch.autograd.grad(expected, [outputs, reference.W])
    torch.testing.assert_close(mine[0], theirs[0], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(mine[1], theirs[1].T, rtol=1e-3, atol=1e-3)


def test_active_are_rows_nearer_to_another_identity() -> None:
    loss = made("cosface", 0.35, 10, [3, 7], 2)
    with torch.no_grad():
        loss.directions.copy_(torch.tensor([[2.0, 0.0], [0.0, 0.5]]))
    rows = Rows(torch.eye(2)[[0, 1, 1]], torch.tensor([3, 7, 3]), torch.arange(3))
    assert int(loss(rows, rows, NONE).active) == 1


@pytest.mark.parametrize("kind", ["arcface", "cosface"])
def test_a_row_on_its_direction_or_opposite_has_a_finite_gradient(kind: str) -> None:
    loss = made(kind, 0.5, 64, [0, 1], 2)
    with torch.no_grad():
        loss.directions.copy_(torch.eye(2))
    embeddings = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], requires_grad=True)
    rows = Rows(embeddings, torch.tensor([0, 0]), torch.arange(2))
    loss(rows, rows, NONE).value.backward()
    assert embeddings.grad is not None
    assert torch.isfinite(embeddings.grad).all()


def test_the_margin_never_helps() -> None:
    """The cosine with the margin falls with the angle, all the way to 180 degrees."""
    angles = torch.linspace(0, math.pi, 500, dtype=torch.float64)
    for kind, margin in (("arcface", 0.5), ("arcface", math.pi / 2), ("cosface", 0.35), ("cosface", 2.0)):
        turned = MarginSoftmaxLoss(kind, margin)._with_margin(torch.cos(angles)[:, None]).squeeze(1)
        assert (turned <= torch.cos(angles) + 1e-12).all()
        assert (turned.diff() < 0).all()


def test_who_was_not_set_up_is_refused() -> None:
    loss = made("arcface", 0.5, 64, [3, 7], 4)
    for identity in (2, 5, 9):
        rows = Rows(torch.ones(1, 4) / 2, torch.tensor([identity]), torch.arange(1))
        with pytest.raises(ValueError, match="1 rows are of identities that are not trained on"):
            loss(rows, rows, NONE)


@pytest.mark.parametrize("kind", ["arcface", "cosface"])
def test_defaults_are_those_of_the_config(kind: str) -> None:
    settings = yaml.safe_load((config_dir() / "loss" / f"{kind}.yaml").read_text())
    assert MarginSoftmaxLoss(kind).scale == settings["scale"]
    assert MarginSoftmaxLoss().margin == 0.5


def test_no_row_costs_nothing() -> None:
    loss = made("arcface", 0.5, 64, [3, 7], 4)
    rows = Rows(torch.ones(0, 4, requires_grad=True), torch.empty(0, dtype=torch.long), torch.arange(0))
    found = loss(rows, rows, NONE)
    assert found.value.item() == 0
    found.value.backward()
    assert loss.directions.grad is not None
    assert not loss.directions.grad.any()


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"kind": "sphereface"}, "loss.kind"),
        ({"margin": -0.1}, "loss.margin"),
        ({"margin": 1.6}, "loss.margin"),
        ({"scale": 0}, "loss.scale"),
    ],
)
def test_bad_settings_are_named(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(UserError, match=name):
        MarginSoftmaxLoss(**arguments)
