from __future__ import annotations

from collections.abc import Iterator

import pytest
from benchmarks import loader


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(loader, "DRAWN", 6)
    monkeypatch.setattr(loader, "QUALITIES", (90, 95))
    monkeypatch.setattr(loader, "BATCH", 5)
    monkeypatch.setattr(loader, "WORKERS", 0)
    cached = (loader.folder, loader.packed, loader.order, loader._copies)
    yield
    for each in cached:
        each.cache_clear()


def test_each_row_is_right_and_runs() -> None:
    for row in loader.rows():
        row.check()
        assert row.ours() == row.peer() == 12
        row.bound()


def test_pictures_in_another_order_are_told() -> None:
    in_order = loader.images_of(loader.faster_loader(loader.bytes_of_folder()))
    with pytest.raises(AssertionError):
        loader.check(loader.bytes_of_pack, lambda: reversed(list(in_order)))


@pytest.mark.parametrize(("seconds", "workers"), [((1.0, 2.0), 0), ((2.0, 1.0), 1)])
def test_the_faster_of_no_workers_and_some_is_taken(
    seconds: tuple[float, float], workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter(seconds)
    monkeypatch.setattr(loader, "WORKERS", 1)
    monkeypatch.setattr(loader, "timed", lambda run: next(told))
    taken = loader.faster_loader(loader.bytes_of_folder())
    assert taken.num_workers == workers
    assert loader.gone_through(lambda: loader.images_of(taken)) == 12
