from __future__ import annotations

import pytest
from benchmarks import triplets


def test_the_row_is_right_and_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triplets, "IMAGES", 301_000)
    monkeypatch.setattr(triplets, "IDENTITIES", 1_000)
    for made in (triplets.table, triplets.part, triplets.epoch):
        made.cache_clear()
    try:
        drawn, batch = triplets.rows()
        assert triplets.table.cache_info().currsize == 0  # no inputs are made before they are asked for
        assert drawn.work == "triplets, 0.3 million, freed memory kept"
        drawn.check()
        assert len(drawn.ours().anchors) == len(drawn.bound()) == 300_000
        assert len(drawn.peer()) * drawn.peer_share == 300_000
        batch.check()
        assert batch.ours().shape == (1024, 3)
    finally:
        for made in (triplets.table, triplets.part, triplets.epoch):
            made.cache_clear()


def test_triplets_of_the_wrong_kinds_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = triplets.ours
    monkeypatch.setattr(triplets, "ours", lambda people: [drawn(people)[column] for column in (0, 2, 1)])
    with pytest.raises(AssertionError):
        triplets.check()
