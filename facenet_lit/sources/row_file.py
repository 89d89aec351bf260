"""A .npy file that is filled row by row, in any order, over several processes' lives."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from numpy.lib.format import open_memmap

from facenet_lit.preprocessing import Picture
from facenet_lit.sources.checksums import as_bytes


class RowFile:
    """An array in a file: found as an earlier process left it, or made, filled with zeros.

    Rows are written by plain writes, not through a memory map: a full disk is an error then, not a signal.

    Args:
        path: the file, which becomes a ``.npy`` of numpy's.
        shape: of the whole array, its rows first.
        kind: of its numbers.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], kind: npt.DTypeLike) -> None:
        found = _opened(path, shape, np.dtype(kind))
        if found is None:
            open_memmap(path, mode="w+", dtype=kind, shape=shape)
            found = open_memmap(path, mode="r")
        self.rows: npt.NDArray[Any] = found
        self._start = int(found.offset)
        self._width = found.nbytes // max(1, len(found))
        self._descriptor = os.open(path, os.O_RDWR)

    def put(self, number: int, row: bytes | Picture) -> None:
        """Writes a row.

        Args:
            number: of the row.
            row: its bytes, or an array of them in the order of C.

        Raises:
            OSError: there is no room.
        """
        data, place = memoryview(as_bytes(row)).cast("B"), self._start + number * self._width
        while data:  # a write may be cut short
            written = os.pwrite(self._descriptor, data, place)
            data, place = data[written:], place + written

    def record(self, number: int) -> Picture:
        """A row as an earlier process left it."""
        return cast(Picture, self.rows[number])

    def close(self) -> None:
        """Lets go of the file."""
        os.close(self._descriptor)


def _opened(path: Path, shape: tuple[int, ...], kind: np.dtype[np.generic]) -> np.memmap[Any, Any] | None:
    """The array of an earlier process, None where there is none of this shape and kind."""
    try:
        found = open_memmap(path, mode="r")
    except (OSError, ValueError):  # not there, or killed while it was made
        return None
    return found if found.shape == shape and found.dtype == kind else None
