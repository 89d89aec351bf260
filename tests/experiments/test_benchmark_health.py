from __future__ import annotations

import pytest
import torch
from benchmarks import health


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "BATCHES", (12,))
    monkeypatch.setattr(health, "NETWORK", {"depths": [1], "cardinality": 2, "group_width": 4, "width": 8})
    health.made.cache_clear()


def test_the_peer_trains_and_ours_looks_on() -> None:
    (row,) = health.rows()
    row.check()
    run = health.made(12)
    before = [weight.clone() for weight in run.module.parameters()]
    row.ours()
    assert all(torch.equal(*both) for both in zip(before, run.module.parameters(), strict=True))
    assert run.health.state_dict()["past"]["looks"] == 2
    row.peer()
    assert not all(torch.equal(*both) for both in zip(before, run.module.parameters(), strict=True))


def test_a_callback_that_does_not_look_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    health.made(12).health.every = 1000
    with pytest.raises(AssertionError):
        health.check(12)
