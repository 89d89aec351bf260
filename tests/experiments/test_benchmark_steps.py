from __future__ import annotations

from functools import partial

import pytest
import torch
from benchmarks import steps


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "IMAGES", 8)
    monkeypatch.setattr(steps, "SIDES", {"resnext": 32})
    shallow = partial(steps.build_backbone, depths=(1, 1), cardinality=4, width=16)
    monkeypatch.setattr(steps, "build_backbone", shallow)
    steps.ours.cache_clear()
    steps.usual.cache_clear()


def test_both_sides_are_the_same_network_and_learn() -> None:
    row, alone = steps.rows()
    assert steps.ours.cache_info().currsize == 0  # no network is made before it is asked for
    row.check()
    assert alone.work != row.work
    alone.peer()
    for side, step in ((row.ours, steps.ours("resnext")), (row.peer, steps.usual("resnext"))):
        before = torch.cat([parameter.flatten() for parameter in step.embedder.parameters()]).clone()
        side()
        after = torch.cat([parameter.flatten() for parameter in step.embedder.parameters()])
        assert not torch.equal(before, after)


def test_a_network_that_differs_is_told() -> None:
    next(steps.ours("resnext").embedder.parameters()).data.zero_()
    with pytest.raises(AssertionError):
        steps.check("resnext")


def test_an_arithmetic_farther_off_than_that_of_the_default_layout_is_told() -> None:
    mine = steps.ours("resnext")
    mine.precision = "bf16"
    steps.check("resnext")
    embed = mine.embed
    with torch.no_grad():
        expected = steps.usual("resnext").embed()
    mine.embed = lambda: expected + 1.5 * (embed() - expected)
    with pytest.raises(AssertionError):
        steps.check("resnext")
