"""Whether there is room for packed pictures, on a disk or in memory: looked at before they are decoded."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from facenet_lit.errors import UserError

MEMORY = Path("/proc/meminfo")  # Linux's


def expect_disk(folder: Path, needed: int) -> None:
    """Checks that so many bytes fit on the disk of a folder, which is one pack's.

    Raises:
        UserError: they don't.
    """
    # A full disk would end a write through a memory map by a signal, not by an error.
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"{folder.parent}: {needed >> 20} MiB needed for packed pictures, {free >> 20} MiB free; "
            "make room or name another folder"
        )


def expect_memory(needed: int) -> None:
    """Checks that so many bytes fit into memory, where the system tells what is available.

    Raises:
        UserError: they don't.
    """
    # Memory is given out at once and only then found wanting: Linux would end the process by a signal.
    available = available_memory()
    if available is not None and available < needed:
        raise UserError(
            f"data.cache=off: {needed >> 20} MiB needed for pictures in memory, {available >> 20} MiB available; "
            "name a folder by data.cache=DIR, or take fewer or smaller pictures"
        )


def fits(folder: str | Path | None, needed: int) -> bool:
    """Whether so many bytes fit into memory, and on the disk of a folder if there is one.

    What lies on a disk is to fit too, so that it is read from there once: images are drawn in any order.
    """
    available = available_memory()
    if available is not None and available < needed:
        return False
    if folder is None:
        return True
    path = Path(folder).expanduser().absolute()
    there = next(place for place in (path, *path.parents) if place.exists())
    return shutil.disk_usage(there).free >= needed


def available_memory() -> int | None:
    """Bytes that a process can have without swapping; None where the system does not tell."""
    try:
        # With what Linux would drop for it: the free pages that sysconf counts are without.
        told = re.search(r"^MemAvailable:\s+(\d+) kB$", MEMORY.read_text(encoding="utf-8"), re.MULTILINE)
        return int(told[1]) * 1024 if told else _free_pages()
    except OSError:
        return _free_pages()


def _free_pages() -> int | None:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not known there
        return None
