from __future__ import annotations

import os
import shutil

import pytest

from facenet_lit.errors import UserError
from facenet_lit.sources import room


def test_a_disk_that_is_too_small(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=5 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    room.expect_disk(tmp_path / "pack", 5 << 20)
    with pytest.raises(UserError) as caught:
        room.expect_disk(tmp_path / "pack", 6 << 20)
    assert str(caught.value) == (
        f"{tmp_path}: 6 MiB needed for packed pictures, 5 MiB free; make room or name another folder"
    )


def test_memory_that_is_too_small(monkeypatch):
    monkeypatch.setattr(room, "available_memory", lambda: 5 << 20)
    room.expect_memory(5 << 20)
    with pytest.raises(UserError) as caught:
        room.expect_memory(6 << 20)
    assert str(caught.value) == (
        "data.cache=off: 6 MiB needed for pictures in memory, 5 MiB available; "
        "name a folder by data.cache=DIR, or take fewer or smaller pictures"
    )
    monkeypatch.setattr(room, "available_memory", lambda: None)
    room.expect_memory(1 << 60)


def test_what_fits_into_memory_and_on_the_disk(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=5 << 20)
    asked = []
    monkeypatch.setattr(shutil, "disk_usage", lambda place: (asked.append(place), usage)[1])
    monkeypatch.setattr(room, "available_memory", lambda: 7 << 20)
    for needed, in_memory, on_disk in ((5, True, True), (6, True, False), (8, False, False)):
        assert room.fits(None, needed << 20) == in_memory
        assert room.fits(tmp_path / "not" / "there", needed << 20) == on_disk
    assert set(asked) == {tmp_path}
    monkeypatch.setattr(room, "available_memory", lambda: None)
    assert room.fits(None, 1 << 60)


def test_available_memory_is_what_linux_tells(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "MEMORY", tmp_path / "meminfo")
    (tmp_path / "meminfo").write_text(
        "MemTotal:  99 kB\nMemFree:  5 kB\nMemAvailable:   12 kB\nCached: 1 kB\n"
    )
    assert room.available_memory() == 12 * 1024


@pytest.mark.parametrize("content", [None, "MemTotal:  99 kB\n"])
def test_elsewhere_it_is_the_free_pages(tmp_path, monkeypatch, content):
    monkeypatch.setattr(room, "MEMORY", tmp_path / "meminfo")
    if content is not None:
        (tmp_path / "meminfo").write_text(content)
    pages = {"SC_AVPHYS_PAGES": 30, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", lambda name: pages[name])
    assert room.available_memory() == 30 * 4096

    def unknown(name: str) -> int:
        raise ValueError(f"unrecognized configuration name {name}")

    monkeypatch.setattr(os, "sysconf", unknown)
    assert room.available_memory() is None


def test_this_system_tells_a_sane_number_or_none():
    available = room.available_memory()
    assert available is None or 1 << 20 < available < 1 << 50
