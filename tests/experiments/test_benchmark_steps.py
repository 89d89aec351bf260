from __future__ import annotations

import pytest
import torch
from benchmarks import steps


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "IMAGES", 8)
    monkeypatch.setattr(steps, "SIDES", {"resnext": 64})
    steps.ours.cache_clear()
    steps.usual.cache_clear()


def test_both_sides_are_the_same_network_and_learn() -> None:
    (row,) = steps.rows()
    row.check()
    for side, step in ((row.ours, steps.ours("resnext")), (row.peer, steps.usual("resnext"))):
        before = torch.cat([parameter.flatten() for parameter in step.embedder.parameters()]).clone()
        side()
        after = torch.cat([parameter.flatten() for parameter in step.embedder.parameters()])
        assert not torch.equal(before, after)


def test_a_network_that_differs_is_told() -> None:
    next(steps.ours("resnext").embedder.parameters()).data.zero_()
    with pytest.raises(AssertionError):
        steps.check("resnext")
