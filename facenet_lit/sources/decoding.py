"""Decoding all of a source's pictures, by a pool of threads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from facenet_lit.errors import UserError
from facenet_lit.preprocessing import Picture, crop_and_resize, fingerprint
from facenet_lit.sources.source import Read, Source, UnreadableImage

# So many pictures per thread may wait, read but not decoded: memory stays bounded however many there are.
_WAITING = 8

_FINGERPRINT_BYTES = 32


def decode_all(
    source: Source, images: Picture, crop: int | None, progress: bool
) -> tuple[Picture, dict[int, str]]:
    """Decodes, fingerprints, crops and resizes every picture.

    OpenCV and hashlib let go of the interpreter's lock, so that threads decode side by side.

    Args:
        source: where the pictures come from.
        images: (N, S, S, 3) uint8, filled here; rows of unreadable pictures are left as they are.
        crop: side of the centred square cut out; None for the largest that fits.
        progress: show a progress bar.

    Returns:
        (N, 32) uint8 fingerprints of the pictures at source size, and by number why a picture is unreadable.

    Raises:
        UserError: the source hands out fewer pictures than it listed.
    """
    fingerprints = np.zeros((len(images), _FINGERPRINT_BYTES), np.uint8)
    faults: dict[int, str] = {}

    def decode(number: int, read: Read) -> None:
        try:
            picture = read()
        except UnreadableImage as error:
            faults[number] = error.reason
            return
        images[number] = crop_and_resize(picture, crop, images.shape[1])
        fingerprints[number] = np.frombuffer(fingerprint(picture), np.uint8)

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), disable=not progress) as bar:
        task = bar.add_task(f"packing {source.name}", total=len(images))
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            waiting = (pool.submit(decode, number, read) for number, read in source.pictures())
            count = 0
            for count, future in enumerate(_bounded(waiting, _WAITING * (os.cpu_count() or 1)), start=1):
                future.result()
                bar.update(task, completed=count)
    if count != len(images):
        raise UserError(f"data={source.name}: {count} pictures where {len(images)} were listed; run again")
    return fingerprints, faults


def _bounded(futures: Iterator[Future[None]], limit: int) -> Iterator[Future[None]]:
    """Passes futures on in order, with at most ``limit`` of them started and not yet passed on."""
    waiting: deque[Future[None]] = deque()
    for future in futures:
        waiting.append(future)
        if len(waiting) >= limit:
            yield waiting.popleft()
    yield from waiting
