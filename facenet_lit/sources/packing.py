"""Packing into a folder: gone on with after a kill, by one process at a time, there whole or not at all.

What is packed so far lies beside the pack's place, in ``NAME.partial/``. An image is written with its fingerprint,
and after both their checksum: by that is told what a kill or a power failure left half done.
"""

from __future__ import annotations

import contextlib
import logging
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.lib.format import open_memmap

from facenet_lit.batch import IntArray
from facenet_lit.preprocessing import Picture
from facenet_lit.sources.checksums import SIZE, Digests, differing
from facenet_lit.sources.decoding import Cut, Decoded, decode_all
from facenet_lit.sources.file_lock import locked
from facenet_lit.sources.jpeg_records import RECORDS, SPANS, JpegRecords, JpegWriter
from facenet_lit.sources.kept import Kept, keep
from facenet_lit.sources.pack_files import (
    CHECKSUMS,
    FINGERPRINTS,
    IMAGES,
    Images,
    Pack,
    publish,
    read_pack,
    write_tables,
)
from facenet_lit.sources.room import expect_disk
from facenet_lit.sources.row_file import RowFile
from facenet_lit.sources.source import Source

log = logging.getLogger(__name__)

_CHUNK = 1024  # images copied at a time
_LOCK = "lock"


class Task(NamedTuple):
    """What is to be packed.

    Attributes:
        source: where the pictures come from.
        cut: what of each, and how.
        key: of the pack.
        settings: plain values, kept for whoever looks into the folder.
        known: (N, 32) fingerprints that stand for those of the pictures, or None.
        left_out: pictures that were left out before, by name.
    """

    source: Source
    cut: Cut
    key: str
    settings: Mapping[str, Any]
    known: Digests | None = None
    left_out: Mapping[str, str] = {}

    def pack_of(self, kept: Kept, images: Images, fingerprints: Digests) -> Pack:
        """The pack of what decodes, its images and their fingerprints given."""
        left_out = {**self.left_out, **kept.left_out}
        tables = kept.identities, kept.names, kept.files, fingerprints
        return Pack(images, *tables, self.key, left_out, self.settings)


def pack_into(target: Path, task: Task, progress: bool) -> Pack:
    """Packs into a folder, unless another process has done it meanwhile.

    Raises:
        UserError: see :func:`facenet_lit.sources.packed.pack`.
        OSError: it can't be written.
    """
    partial, done = _partial(target), False
    with locked(partial / _LOCK, f"{target}: another process is packing it; waiting for it to end"):
        try:
            with contextlib.suppress(ValueError):
                return read_pack(target, task.key)
            publish(_filled(partial, task, progress), target)
            done = True
            return read_pack(target, task.key)
        finally:
            if done or not _has_images(partial):
                _remove(partial)


def remove_partial(target: Path) -> None:
    """Removes what a process that was killed has left beside a whole pack, unless another one is at it."""
    partial = _partial(target)
    if partial.is_dir():
        with contextlib.suppress(OSError), locked(partial / _LOCK, waiting=None):
            _remove(partial)


def _partial(target: Path) -> Path:
    return target.with_name(f"{target.name}.partial")


def _remove(partial: Path) -> None:
    """Removes the folder, its lock last: with a new lock another process would begin to fill it."""
    with contextlib.suppress(OSError):
        for path in partial.iterdir():
            if path.name != _LOCK:
                shutil.rmtree(path, ignore_errors=True)
        (partial / _LOCK).unlink()
        partial.rmdir()  # not where the next process has its lock there already


def _has_images(partial: Path) -> bool:
    """Whether there is something to go on with."""
    try:
        return bool(open_memmap(partial / "pack" / CHECKSUMS, mode="r").any())
    except (OSError, ValueError):
        return False


def _filled(partial: Path, task: Task, progress: bool) -> Path:
    """Decodes what isn't there yet.

    Returns:
        The folder of the whole pack.
    """
    filling = _Filling(partial, len(task.source.files), task.cut)
    try:
        faults = decode_all(task.source, task.cut, filling.put, filling.done, task.known, progress)
    finally:
        filling.close()
    kept = keep(task.source, faults)
    folder = filling.folder
    if faults:
        folder = _copied(folder, kept.numbers, partial / "kept", task.cut)
    images: Images = (
        open_memmap(folder / IMAGES, mode="r")
        if task.cut.quality is None
        else JpegRecords(folder, np.load(folder / SPANS), task.cut.size)
    )
    write_tables(folder, task.pack_of(kept, images, np.load(folder / FINGERPRINTS)))
    return folder


class _Filling:
    """A pack that is being filled, with what an earlier process has left of it."""

    def __init__(self, partial: Path, count: int, cut: Cut) -> None:
        self.folder = folder = partial / "pack"
        folder.mkdir(exist_ok=True)
        shape = count, cut.size, cut.size, 3
        self._records: RowFile | JpegWriter
        if cut.quality is None:
            expect_disk(partial, math.prod(shape) - _allocated(folder / IMAGES))
            self._records = RowFile(folder / IMAGES, shape, np.uint8)
        else:
            self._records = JpegWriter(folder, count, cut.size)
        self._fingerprints = RowFile(folder / FINGERPRINTS, (count, 32), np.uint8)
        self._checksums = RowFile(folder / CHECKSUMS, (count, SIZE), np.uint8)
        self.done = np.asarray(self._checksums.rows.any(axis=1))
        self._take_over()

    def _take_over(self) -> None:
        """Finds what of an earlier process is whole."""
        there = np.flatnonzero(self.done)
        tables = cast(Digests, self._fingerprints.rows), cast(Digests, self._checksums.rows)
        self.done[differing(self._records.record, *tables, there)] = False
        if isinstance(self._records, JpegWriter):
            self._records.keep(np.flatnonzero(self.done))
        if self.done.any():
            log.info("%d of %d images were packed before; going on", self.done.sum(), len(self.done))

    def put(self, number: int, decoded: Decoded) -> None:
        """Writes an image."""
        self._records.put(number, decoded.record)
        self._fingerprints.put(number, decoded.fingerprint)
        self._checksums.put(number, decoded.checksum)

    def close(self) -> None:
        """Lets go of the files."""
        for file in (self._records, self._fingerprints, self._checksums):
            file.close()


def _allocated(path: Path) -> int:
    """Bytes that a file has on its disk: less than its length where nothing was written yet."""
    return path.stat().st_blocks * 512 if path.exists() else 0


def _copied(folder: Path, numbers: IntArray, target: Path, cut: Cut) -> Path:
    """A copy of a pack with these of its images."""
    shutil.rmtree(target, ignore_errors=True)  # of a process that was killed here
    target.mkdir()
    tables = [FINGERPRINTS, CHECKSUMS]
    if cut.quality is None:
        images = open_memmap(folder / IMAGES, mode="r")
        expect_disk(target.parent, len(numbers) * math.prod(images.shape[1:]))
        _copy_rows(images, numbers, target / IMAGES)
    else:
        shutil.copyfile(folder / RECORDS, target / RECORDS)
        tables.append(SPANS)
    for name in tables:
        np.save(target / name, np.load(folder / name)[numbers])
    return target


def _copy_rows(images: Picture, numbers: IntArray, path: Path) -> None:
    """Copies images in pieces: together they may not fit into memory."""
    result = open_memmap(path, mode="w+", dtype=np.uint8, shape=(len(numbers), *images.shape[1:]))
    for start in range(0, len(numbers), _CHUNK):
        result[start : start + _CHUNK] = images[numbers[start : start + _CHUNK]]
