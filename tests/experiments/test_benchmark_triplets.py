from __future__ import annotations

import numpy as np
import pytest
from benchmarks import triplets


def test_the_row_is_right() -> None:
    (row,) = triplets.rows()
    assert row.work == "triplets, 16.7 million"
    row.check()


def test_triplets_of_the_wrong_kinds_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triplets, "ours", lambda table: np.array(triplets.loop(table))[:, [0, 2, 1]])
    with pytest.raises(AssertionError):
        triplets.check()
