"""Decoding a source's pictures, by a pool of threads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from facenet_lit.errors import UserError
from facenet_lit.preprocessing import Picture, crop_and_resize, fingerprint
from facenet_lit.sources.checksums import Digests, checksum
from facenet_lit.sources.jpeg_records import encode_jpeg
from facenet_lit.sources.source import Read, Source, UnreadableImage

# So many pictures per thread may wait, read but not decoded: memory stays bounded however many there are.
_WAITING = 8


class Cut(NamedTuple):
    """What of a picture is packed, and how.

    Attributes:
        crop: side of the centred square cut out, in the picture's pixels; None for the largest that fits.
        size: side of the packed image in pixels.
        quality: of the JPEG that it is packed as, 1 to 100; None for plain pixels.
    """

    crop: int | None
    size: int
    quality: int | None = None


class Decoded(NamedTuple):
    """A picture, ready to be packed.

    Attributes:
        record: (S, S, 3) uint8 RGB, or the bytes of a JPEG.
        fingerprint: 32 bytes, of the picture at source size.
        checksum: 16 bytes, of both.
    """

    record: Picture | bytes
    fingerprint: bytes
    checksum: bytes


def decode_all(
    source: Source,
    cut: Cut,
    put: Callable[[int, Decoded], None],
    done: npt.NDArray[np.bool_],
    known: Digests | None = None,
    progress: bool = True,
) -> dict[int, str]:
    """Decodes, fingerprints, crops and resizes every picture that isn't done.

    OpenCV and hashlib let go of the interpreter's lock, so that threads decode side by side.

    Args:
        source: where the pictures come from.
        cut: what is packed of each.
        put: called in this thread with the number of a picture and what came of it, in the source's order.
        done: (N,) the pictures that are passed over.
        known: (N, 32) fingerprints that stand for those of the pictures; None to take these.
        progress: show a progress bar.

    Returns:
        By number why a picture is unreadable.

    Raises:
        UserError: the source hands out fewer pictures than it listed.
    """
    handed, faults, threads = 0, {}, os.cpu_count() or 1
    with (
        _bar(source.name, len(done), int(done.sum()), progress) as told,
        ThreadPoolExecutor(threads) as pool,
    ):

        def started() -> Iterator[tuple[int, Future[Decoded]]]:
            nonlocal handed
            for number, read in source.pictures():
                handed += 1
                if not done[number]:
                    mark = None if known is None else known[number].tobytes()
                    yield number, pool.submit(_decoded, read, cut, mark)

        for number, future in _bounded(started(), _WAITING * threads):
            try:
                put(number, future.result())
            except UnreadableImage as error:
                faults[number] = error.reason
            told()
    if handed != len(done):
        raise UserError(f"data={source.name}: {handed} pictures where {len(done)} were listed; run again")
    return faults


def _decoded(read: Read, cut: Cut, known: bytes | None) -> Decoded:
    picture = read()
    image = crop_and_resize(picture, cut.crop, cut.size)
    mark = fingerprint(picture) if known is None else known
    record = image if cut.quality is None else encode_jpeg(image, cut.quality)
    return Decoded(record, mark, checksum(record, mark))


def _bounded(
    futures: Iterator[tuple[int, Future[Decoded]]], limit: int
) -> Iterator[tuple[int, Future[Decoded]]]:
    """Passes futures on in order, with at most ``limit`` of them started and not yet passed on."""
    waiting: deque[tuple[int, Future[Decoded]]] = deque()
    for future in futures:
        waiting.append(future)
        if len(waiting) >= limit:
            yield waiting.popleft()
    yield from waiting


@contextmanager
def _bar(name: str, total: int, done: int, progress: bool) -> Iterator[Callable[[], None]]:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), disable=not progress) as bar:
        task = bar.add_task(f"packing {name}", total=total, completed=done)
        yield lambda: bar.advance(task)
