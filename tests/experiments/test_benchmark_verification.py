from __future__ import annotations

import pytest
from benchmarks import verification


def test_each_row_is_right_and_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "COMPARED", 200)
    for row in verification.rows():
        row.check()
        assert row.slow_peer


def test_a_peer_that_finds_other_rates_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "COMPARED", 200)
    with pytest.raises(AssertionError):
        verification.check(lambda images: [0.5] * 4)
