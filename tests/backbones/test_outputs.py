"""What the loss gets of the head, and what is scored."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from facenet_lit.backbones.embedder import Embedder
from facenet_lit.backbones.outputs import OUTPUTS, WARNINGS, embedding, training_output
from facenet_lit.errors import UserError


class Colours(nn.Module):
    """Mean colours."""

    features = 3

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean((2, 3))


def values() -> torch.Tensor:
    return torch.randn(6, 4, generator=torch.Generator().manual_seed(0))


def test_each_output_is_its_formula() -> None:
    rows = values().tolist()
    for row, out in zip(rows, training_output(values(), "l2").tolist(), strict=True):
        length = sum(number**2 for number in row) ** 0.5
        assert out == pytest.approx([number / length for number in row], rel=1e-5)
    for row, out in zip(rows, training_output(values(), "absolute").tolist(), strict=True):
        assert out == pytest.approx([(number**2) ** 0.5 for number in row], rel=1e-5)
    columns = training_output(values(), "l2_over_batch").T.tolist()
    for column, out in zip(values().T.tolist(), columns, strict=True):
        length = sum(number**2 for number in column) ** 0.5
        assert out == pytest.approx([number / length for number in column], rel=1e-5)


@pytest.mark.parametrize("output", OUTPUTS)
def test_what_is_scored_has_length_one_and_needs_no_batch(output: str) -> None:
    scored = embedding(values(), output)
    torch.testing.assert_close(scored.norm(dim=1), torch.ones(6))
    torch.testing.assert_close(scored[2:3], embedding(values()[2:3], output))
    signs = 1 if output == "absolute" else values().sign()
    torch.testing.assert_close(scored * values().norm(dim=1, keepdim=True), values().abs() * signs)


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_embedder_gives_the_loss_one_and_evaluation_the_other(output: str) -> None:
    torch.manual_seed(0)
    embedder = Embedder(Colours(), 4, [0.5] * 3, [0.25] * 3, head="linear", output=output)
    images = torch.randint(0, 256, (5, 3, 8, 8), dtype=torch.uint8)
    head = embedder.head(embedder.pixels(images).mean((2, 3)))
    torch.testing.assert_close(embedder(images), training_output(head, output))
    torch.testing.assert_close(embedder.eval()(images), embedding(head, output))


@pytest.mark.parametrize("output", OUTPUTS)
def test_gradients_are_finite_where_all_is_zero(output: str) -> None:
    zeros = torch.zeros(3, 4, requires_grad=True)
    training_output(zeros, output).sum().backward()
    assert zeros.grad is not None
    assert zeros.grad.isfinite().all()


def test_those_that_are_no_embedding_have_a_warning_and_no_other_exists() -> None:
    assert set(WARNINGS) == set(OUTPUTS) - {"l2"}
    with pytest.raises(UserError, match=r"^model\.output=l1: expected"):
        Embedder(Colours(), 4, [0.5] * 3, [0.25] * 3, output="l1")
