from __future__ import annotations

import numpy as np
import pytest
from benchmarks import triplets


def test_the_row_is_right_and_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triplets, "IMAGES", 301_000)
    monkeypatch.setattr(triplets, "IDENTITIES", 1_000)
    (row,) = triplets.rows()
    assert row.work == "triplets, 0.3 million"
    row.check()
    assert len(row.ours()) == len(row.peer()) == len(row.bound()) == 300_000


def test_triplets_of_the_wrong_kinds_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triplets, "ours", lambda table: np.array(triplets.loop(table))[:, [0, 2, 1]])
    with pytest.raises(AssertionError):
        triplets.check()
