from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from benchmarks import bounds


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(bounds, "IDENTITIES", 401)
    monkeypatch.setattr(bounds, "REPLICATES", 100)
    monkeypatch.setattr(bounds, "FEW", 3)
    yield
    bounds.made.cache_clear()


def test_each_row_is_right_and_runs() -> None:
    whole, compared = bounds.rows()
    assert whole.work == "bounds: 100 replicates of 401 identities, 869 images"
    whole.check()
    whole.ours()
    assert whole.peer is None
    assert compared.slow_peer
    ours, peer = compared.ours(), compared.peer()
    assert all(len(rates) == 3 for rates in ours.values())
    for name, rates in ours.items():
        np.testing.assert_allclose(rates, peer[name], atol=1e-12)


def test_a_peer_that_finds_other_rates_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    explicit = bounds.explicit
    monkeypatch.setattr(bounds, "explicit", lambda *sizes: explicit(*sizes) | {"eer": np.zeros(3)})
    with pytest.raises(AssertionError, match="eer"):
        bounds.check(400)
