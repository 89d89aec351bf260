from __future__ import annotations

import pytest
from benchmarks import mining

from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss


def test_every_row_agrees_with_its_peer_on_a_small_batch() -> None:
    mining.check_mean(64)
    mining.check_closest(64)
    assert len({row.work for row in mining.rows()}) == 3
    for row in mining.rows():
        assert all(callable(side) for side in (row.ours, row.peer, row.bound, row.check))


def test_a_wrong_mean_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mining, "SemiHardMeanLoss", lambda margin: SemiHardMeanLoss(margin + 0.001))
    with pytest.raises(AssertionError):
        mining.check_mean(64)
