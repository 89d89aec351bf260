from __future__ import annotations

from collections.abc import Iterator

import pytest
from benchmarks import verification


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(verification, "IMAGES", 300)
    monkeypatch.setattr(verification, "COMPARED", 200)
    yield
    verification.made.cache_clear()


def test_each_row_is_right_and_runs() -> None:
    *rows, once = verification.rows()
    for row in rows:
        row.check()
        assert row.slow_peer
        assert row.ours() == pytest.approx(row.peer(), abs=2e-3)
        row.bound()
    once.check()
    once.bound()
    assert once.peer is None


def test_a_peer_that_finds_other_rates_is_told() -> None:
    with pytest.raises(AssertionError):
        verification.check(lambda images: [0.5] * 4)
