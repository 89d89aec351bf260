"""A source decoded once: every picture cropped and resized, in memory or in a folder, as pixels or as JPEG."""

from __future__ import annotations

import hashlib
import logging
import math
from pathlib import Path

import numpy as np

from facenet_lit import gathering
from facenet_lit.errors import UserError, check_choice, check_integer
from facenet_lit.preprocessing import Picture
from facenet_lit.sources.checksums import Digests
from facenet_lit.sources.decoding import Cut, Decoded, decode_all
from facenet_lit.sources.kept import keep, report
from facenet_lit.sources.pack_files import FORMAT_VERSION, Pack, open_pack
from facenet_lit.sources.pack_source import PackSource
from facenet_lit.sources.packing import Task, pack_into, remove_partial
from facenet_lit.sources.room import expect_memory, fits
from facenet_lit.sources.source import Source

__all__ = ["Pack", "cache_folder", "pack"]

log = logging.getLogger(__name__)

AUTO = Path("runs/cache")  # where packs are kept if the user doesn't say


def cache_folder(cache: object) -> Path | None:
    """The folder that ``data.cache`` stands for, None for memory only.

    Raises:
        UserError: it is neither ``auto``, ``off`` nor a folder.
    """
    if cache is None or cache is False or cache == "off":  # YAML takes a bare off for false
        return None
    if not isinstance(cache, (str, Path)) or not str(cache):
        raise UserError(f"data.cache={cache}: expected a folder, auto or off")
    return AUTO if cache == "auto" else Path(cache).expanduser()


def pack(
    source: Source,
    crop: int | None,
    size: int,
    folder: str | Path | None,
    on_bad_image: str = "error",
    progress: bool = True,
    quality: int | None = None,
) -> Pack:
    """Decodes a source's pictures, or opens them where that was done before.

    A :class:`PackSource` is used as it lies where it is what is asked for. JPEG records whose pixels would not
    fit into memory stay records, and are decoded at each use.

    Args:
        source: where the pictures come from.
        crop: side of the centred square cut out, in source pixels; None for the largest that fits.
        size: side of the packed images in pixels.
        folder: where packs are kept, one subfolder each; None to keep the images in memory.
        on_bad_image: ``error`` or ``skip`` (leave out) pictures that don't decode, and identities that have
            no other.
        progress: show a progress bar.
        quality: of the JPEG that images are packed as, 1 to 100; None for plain pixels. Wants a folder.

    Returns:
        The pack; its images are memory-mapped where it lies in a folder.

    Raises:
        UserError: a setting is out of range or not to be had of this pack, pictures don't decode (with
            ``skip``: none does), the folder can't be written, or there is no room for the images.
    """
    if crop is not None:
        check_integer("data.crop", crop, 1)
    check_integer("data.size", size, 1)
    check_choice("data.on_bad_image", on_bad_image, ("error", "skip"))
    if quality is not None:
        check_integer("quality", quality, 1, 100)
    task = _task(source, Cut(crop, size, quality))
    result = _as_it_lies(task, folder) or _packed(task, folder, progress)
    report(result.left_out, on_bad_image)
    return result


def _task(source: Source, cut: Cut) -> Task:
    settings = {"source": source.name, "source_key": source.key, **cut._asdict()}
    known, left_out = None, {}
    if isinstance(source, PackSource):
        own = source.cut.crop
        if cut.size > source.cut.size:
            raise UserError(
                f"data.size={cut.size}: the images of this pack have {source.cut.size} px, and can't be made "
                f"sharper; say data.size={source.cut.size} or less, or prepare it anew from its pictures"
            )
        if cut.crop not in (None, own):
            raise UserError(
                f"data.crop={cut.crop}: this pack was cut with {own or 'null'}; "
                f"say data.crop={own or 'null'}, or prepare it anew"
            )
        # Its images are what was cut out; of the pictures only their fingerprints are left.
        settings["crop"], cut = own, cut._replace(crop=None)
        known, left_out = source.pack.fingerprints, dict(source.pack.left_out)
    words = repr((FORMAT_VERSION, source.name, source.key, *cut))
    return Task(source, cut, hashlib.sha256(words.encode()).hexdigest(), settings, known, left_out)


def _target(task: Task, folder: str | Path) -> Path:
    return Path(folder).expanduser() / f"{task.source.name}-{task.key[:16]}"


def _as_it_lies(task: Task, folder: str | Path | None) -> Pack | None:
    """The pack that a source is, where it is what is asked for, or its pixels would not fit."""
    source, cut = task.source, task.cut
    if not isinstance(source, PackSource) or cut.size != source.cut.size:
        return None
    if cut.quality == source.cut.quality:
        return source.pack
    needed = math.prod(source.pack.images.shape) * (_copies() if folder is None else 1)
    if cut.quality is not None or fits(folder, needed) or (folder and _target(task, folder).is_dir()):
        return None
    log.info(
        "data.root=%s: %d MiB of pixels don't fit; its JPEG records are decoded at each use, by data.workers=N "
        "processes",
        source.root,
        needed >> 20,
    )
    return source.pack


def _packed(task: Task, folder: str | Path | None, progress: bool) -> Pack:
    if folder is None:
        return _in_memory(task, progress)
    target = _target(task, folder)
    try:
        made = open_pack(target, task.key)
        if made is None:
            return pack_into(target, task, progress)
        remove_partial(target)
        return made
    except OSError as error:
        raise UserError(
            f"{target.parent}: packed pictures can't be written there ({error.strerror or error}); "
            "make it writable or name another folder"
        ) from None


def _copies() -> int:
    """Of how many processes the images are still to be in memory: each has its own, the first before the others."""
    return gathering.world_size() if gathering.rank() == gathering.FIRST else 1


def _in_memory(task: Task, progress: bool) -> Pack:
    count, size = len(task.source.files), task.cut.size
    expect_memory(count * size * size * 3 * _copies())
    images: Picture = np.empty((count, size, size, 3), np.uint8)
    fingerprints: Digests = np.zeros((count, 32), np.uint8)

    def put(number: int, decoded: Decoded) -> None:
        images[number] = decoded.record
        fingerprints[number] = np.frombuffer(decoded.fingerprint, np.uint8)

    faults = decode_all(task.source, task.cut, put, np.zeros(count, bool), task.known, progress)
    kept = keep(task.source, faults)
    return task.pack_of(kept, images[kept.numbers] if faults else images, fingerprints[kept.numbers])
