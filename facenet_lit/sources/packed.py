"""A source decoded once: every picture cropped and resized, in one array, in memory or in a folder.

A pack's folder appears by a rename when it is whole: a reader never meets half a pack, two processes that
pack the same source at once both end with a whole one, and what a killed one leaves (``*.partial``) is
never looked at.
"""

from __future__ import annotations

import hashlib
import logging
import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from facenet_lit import gathering
from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError, check_choice, check_integer, shown
from facenet_lit.picture_bytes import READ
from facenet_lit.preprocessing import Picture
from facenet_lit.sources.decoding import decode_all
from facenet_lit.sources.pack_files import (
    FORMAT_VERSION,
    Pack,
    open_pack,
    partial_of,
    publish,
    write_tables,
)
from facenet_lit.sources.room import expect_disk, expect_memory
from facenet_lit.sources.source import Source

__all__ = ["Pack", "pack"]

log = logging.getLogger(__name__)

Allocate = Callable[[str, tuple[int, ...]], Picture]

_NAMED = 10  # so many unreadable pictures are named in one line
_CHUNK = 1024  # images copied at a time


def pack(
    source: Source,
    crop: int | None,
    size: int,
    folder: str | Path | None,
    on_bad_image: str = "error",
    progress: bool = True,
) -> Pack:
    """Decodes a source's pictures, or opens them where that was done before.

    Args:
        source: where the pictures come from.
        crop: side of the centred square cut out, in source pixels; None for the largest that fits.
        size: side of the packed images in pixels.
        folder: where packs are kept, one subfolder each; None to keep the images in memory.
        on_bad_image: ``error`` or ``skip`` (leave out) pictures that don't decode, and identities that have
            no other.
        progress: show a progress bar.

    Returns:
        The pack; its images are memory-mapped where it lies in a folder.

    Raises:
        UserError: a setting is out of range, pictures don't decode (with ``skip``: none does), the folder
            can't be written, or there is no room for the images.
    """
    if crop is not None:
        check_integer("data.crop", crop, 1)
    check_integer("data.size", size, 1)
    check_choice("data.on_bad_image", on_bad_image, ("error", "skip"))
    key = _key(source, crop, size)
    if folder is None:
        result = _decode(source, crop, size, key, _in_memory, progress)
    else:
        target = Path(folder).expanduser() / f"{source.name}-{key[:16]}"
        result = open_pack(target, key) or _pack_into(target, source, crop, size, key, progress)
    if result.left_out:
        _report(result.left_out, on_bad_image)
    return result


def _key(source: Source, crop: int | None, size: int) -> str:
    words = repr((FORMAT_VERSION, source.name, source.key, crop, size))
    return hashlib.sha256(words.encode()).hexdigest()


def _report(left_out: Mapping[str, str], on_bad_image: str) -> None:
    """Names the pictures that don't decode, all at once: as an error, or as a warning."""
    listed = f"{len(left_out)} pictures don't decode: {_named(left_out)}"
    _log_all(left_out)
    if on_bad_image == "error":
        raise UserError(f"{listed}; mend or remove them, or set data.on_bad_image=skip to leave them out")
    log.warning("%s; left out", listed)


def _named(left_out: Mapping[str, str]) -> str:
    more = f" and {len(left_out) - _NAMED} more, all named in the log" if len(left_out) > _NAMED else ""
    return ", ".join(_with_reasons(left_out)[:_NAMED]) + more


def _log_all(left_out: Mapping[str, str]) -> None:
    """Names every unreadable picture in the log, where one line can't."""
    if len(left_out) > _NAMED:
        log.warning("pictures that don't decode:\n  %s", "\n  ".join(_with_reasons(left_out)))


def _with_reasons(left_out: Mapping[str, str]) -> list[str]:
    return [f"{shown(file)} ({reason})" for file, reason in left_out.items()]


def _pack_into(target: Path, source: Source, crop: int | None, size: int, key: str, progress: bool) -> Pack:
    """Decodes into a folder beside ``target`` and moves it there."""
    partial = partial_of(target)
    try:
        partial.mkdir(parents=True)
        decoded = _decode(source, crop, size, key, _in_folder(partial), progress)
        settings = {"source": source.name, "source_key": source.key, "crop": crop, "size": size}
        write_tables(decoded, partial, settings)
        if decoded.left_out:
            (partial / "decoded.npy").unlink()
        else:
            (partial / "decoded.npy").rename(partial / "images.npy")
        return publish(partial, target, key)
    except OSError as error:
        raise UserError(
            f"{target.parent}: packed pictures can't be written there ({error.strerror or error}); "
            "make it writable or name another folder"
        ) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _in_memory(_: str, shape: tuple[int, ...]) -> Picture:
    # Each process has its own, the first before the others.
    copies = gathering.world_size() if gathering.rank() == gathering.FIRST else 1
    expect_memory(math.prod(shape) * copies)
    return np.empty(shape, np.uint8)


def _in_folder(folder: Path) -> Allocate:
    def allocate(name: str, shape: tuple[int, ...]) -> Picture:
        expect_disk(folder, math.prod(shape))
        array: Picture = open_memmap(folder / f"{name}.npy", mode="w+", dtype=np.uint8, shape=shape)
        return array

    return allocate


def _decode(
    source: Source, crop: int | None, size: int, key: str, allocate: Allocate, progress: bool
) -> Pack:
    """Decodes every picture and leaves out the unreadable ones, and the identities left with none."""
    files = source.files
    images = allocate("decoded", (len(files), size, size, 3))
    fingerprints, faults = decode_all(source, images, crop, progress)
    left_out = {files[number]: faults[number] for number in sorted(faults)}
    kept = np.delete(np.arange(len(files)), list(faults))
    if not len(kept):
        _log_all(left_out)
        raise UserError(f"none of {len(files)} pictures decodes: {_named(left_out)}; expected {READ}")
    present, identities = np.unique(source.identities[kept], return_inverse=True)
    return Pack(
        images=images if not left_out else _copied(images, kept, allocate),
        identities=identities.astype(np.int64),
        names=tuple(source.names[identity] for identity in present.tolist()),
        files=tuple(files[number] for number in kept.tolist()),
        fingerprints=fingerprints[kept],
        key=key,
        left_out=left_out,
    )


def _copied(images: Picture, numbers: IntArray, allocate: Allocate) -> Picture:
    """The images of these numbers, copied in pieces: together they may not fit into memory."""
    result = allocate("images", (len(numbers), *images.shape[1:]))
    for start in range(0, len(numbers), _CHUNK):
        result[start : start + _CHUNK] = images[numbers[start : start + _CHUNK]]
    return result
