from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from facenet_lit.batch import Rows
from facenet_lit.errors import UserError
from facenet_lit.losses.joint import JointLoss
from facenet_lit.losses.margin_softmax import MarginSoftmaxLoss
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.mining import AllMiner

EMBEDDINGS = F.normalize(torch.randn(12, 4, generator=torch.Generator().manual_seed(0)), dim=1)
ROWS = Rows(EMBEDDINGS.requires_grad_(), torch.arange(12) // 3, torch.arange(12))
TRIPLETS = AllMiner()(ROWS, ROWS)


def made(**arguments: Any) -> JointLoss:
    loss = JointLoss(MarginSoftmaxLoss(), TripletLoss(), **arguments)
    loss.set_up(ROWS.identities, 4)
    return loss


def test_both_at_once_are_their_sum_in_value_and_gradient() -> None:
    loss = made(weight=0.25)
    found = loss(ROWS, ROWS, TRIPLETS)
    softmax, triplet = loss.first(ROWS, ROWS, TRIPLETS), loss.second(ROWS, ROWS, TRIPLETS)
    expected = softmax.value + 0.25 * triplet.value
    torch.testing.assert_close(found.value, expected)
    parameters = [ROWS.embeddings, loss.first.directions]
    for mine, theirs in zip(
        torch.autograd.grad(found.value, parameters), torch.autograd.grad(expected, parameters), strict=True
    ):
        torch.testing.assert_close(mine, theirs)
    assert (int(found.count), found.considered, loss.needs_triplets) == (12, 12, True)
    # Each keeps a count of its own, over which its mean is taken.
    assert [int(part.count) for part in found.added] == [int(triplet.count)]


def test_one_after_the_other() -> None:
    loss = made(switch_epoch=2, weight=9)
    for epoch, needs, expected in [(0, False, loss.first), (1, False, loss.first), (2, True, loss.second)]:
        loss.set_epoch(epoch)
        assert loss.needs_triplets == needs
        torch.testing.assert_close(loss(ROWS, ROWS, TRIPLETS).value, expected(ROWS, ROWS, TRIPLETS).value)


def test_who_is_left_out_has_a_gradient_of_zero() -> None:
    # Without any, processes that average their gradients would wait for it for ever.
    loss = made(switch_epoch=1)
    loss.set_epoch(1)
    loss(ROWS, ROWS, TRIPLETS).value.backward()
    assert not loss.first.directions.grad.any()


def test_two_that_mine_by_themselves_need_no_triplets() -> None:
    assert not JointLoss(MarginSoftmaxLoss(), SemiHardMeanLoss()).needs_triplets


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"weight": 0}, "loss.weight"),
        ({"switch_epoch": 0}, "loss.switch_epoch"),
        ({"switch_epoch": 1.5}, "loss.switch_epoch"),
        ({"first": "softmax"}, "loss.first"),
        ({"second": JointLoss(TripletLoss(), TripletLoss())}, "loss.second"),
    ],
)
def test_bad_settings_are_named(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(UserError, match=name):
        JointLoss(**{"first": MarginSoftmaxLoss(), "second": TripletLoss(), **arguments})
