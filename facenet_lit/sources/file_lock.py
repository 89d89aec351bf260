"""A lock that one process has at a time, and that ends with the process, however that ends."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)

_TRIES = 100  # so often the folder may be removed between being made and being used


@contextmanager
def locked(path: Path, waiting: str | None) -> Iterator[None]:
    """Holds the lock of a file, waiting for whoever has it.

    The folder is made where it isn't there. Whoever has the lock may remove file and folder: the next one makes
    them anew.

    Args:
        path: the file; nothing is written into it.
        waiting: what is told where another process has it; None: it isn't waited for.

    Raises:
        BlockingIOError: another process has it, and it isn't waited for.
        OSError: the folder can't be made or written.
    """
    descriptor = _locked(path, waiting)
    while not _is_at(descriptor, path):
        # It was removed while this process waited: nobody else sees this lock.
        os.close(descriptor)
        descriptor = _locked(path, waiting)
    try:
        yield
    finally:
        # Not by closing alone: a forked worker would hold on to it.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _locked(path: Path, waiting: str | None) -> int:
    descriptor = _opened(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if waiting is None:
            os.close(descriptor)
            raise
        log.info("%s", waiting)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _opened(path: Path) -> int:
    for left in range(_TRIES - 1, -1, -1):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # For writing: on NFS no other file can be locked for one process alone.
            return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except (FileNotFoundError, FileExistsError):  # whoever has the lock removes the folder just now
            if not left:
                raise
    raise AssertionError


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
