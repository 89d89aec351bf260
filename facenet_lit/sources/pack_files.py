"""A pack, and how it lies in a folder: images.npy, identities.npy, fingerprints.npy and pack.json."""

from __future__ import annotations

import json
import logging
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numpy.lib.format import open_memmap

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError
from facenet_lit.preprocessing import Picture

log = logging.getLogger(__name__)

FORMAT_VERSION = 2


@dataclass(frozen=True, eq=False)
class Pack:
    """Decoded pictures by number, with their identity table.

    Attributes:
        images: (N, S, S, 3) uint8 RGB; memory-mapped, read-only, where the pack lies in a folder.
        identities: (N,) index into ``names`` per image, ascending.
        names: (K,) names of the identities.
        files: (N,) a unique name per image.
        fingerprints: (N, 32) uint8, SHA-256 of each picture at source size.
        key: hash of what identifies the content: source, crop, size and format.
        left_out: the pictures that didn't decode and are not in the pack: by name, why, in a few words.
    """

    images: Picture
    identities: IntArray
    names: Sequence[str]
    files: Sequence[str]
    fingerprints: npt.NDArray[np.uint8]
    key: str
    left_out: Mapping[str, str] = field(default_factory=dict)


def open_pack(folder: Path, key: str) -> Pack | None:
    """Opens a pack without reading its images.

    Returns:
        The pack; None where there is none, or a damaged one, which is logged.
    """
    if not folder.is_dir():
        return None
    try:
        return _read(folder, key)
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s is damaged (%s); it is packed anew", folder, error)
        return None


def _read(folder: Path, key: str) -> Pack:
    about = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
    # open_memmap reads plain arrays only: nothing is unpickled.
    images, identities, fingerprints = (
        open_memmap(folder / f"{name}.npy", mode="r") for name in ("images", "identities", "fingerprints")
    )
    count = len(about["files"])
    wanted = {
        "images": (images, tuple(about["shape"]), np.uint8),
        "identities": (identities, (count,), np.int64),
        "fingerprints": (fingerprints, (count, 32), np.uint8),
    }
    for name, (array, shape, kind) in wanted.items():
        if array.shape != shape or array.dtype != kind or len(array) != count:
            raise ValueError(f"{name}.npy and pack.json differ")
    if about["key"] != key or set(np.unique(identities)) != set(range(len(about["names"]))):
        raise ValueError("its parts belong to different packs")
    names, files = (tuple(about[word]) for word in ("names", "files"))
    left_out = dict(about["left_out"])
    return Pack(images, np.array(identities), names, files, np.array(fingerprints), key, left_out)


def write_tables(pack: Pack, folder: Path, settings: Mapping[str, object]) -> None:
    """Writes all of a pack but its images, which are there already.

    Args:
        pack: the pack.
        folder: where.
        settings: plain values, kept for whoever looks into the folder.
    """
    np.save(folder / "identities.npy", pack.identities, allow_pickle=False)
    np.save(folder / "fingerprints.npy", pack.fingerprints, allow_pickle=False)
    about = {
        "format": FORMAT_VERSION,
        "key": pack.key,
        "settings": settings,
        "shape": list(pack.images.shape),
        "names": list(pack.names),
        "files": list(pack.files),
        "left_out": dict(pack.left_out),
    }
    (folder / "pack.json").write_text(json.dumps(about, indent=1), encoding="utf-8")


def publish(partial: Path, target: Path, key: str) -> Pack:
    """Moves a whole pack into its place, unless another process was first, and opens what is there.

    Raises:
        UserError: there is still no sound pack afterwards.
        OSError: the folder can't be written.
    """
    try:
        partial.rename(target)
    except OSError:
        found = open_pack(target, key)
        if found is not None:
            return found
        # A damaged one: moved aside first, so that nobody meets it half removed.
        aside = partial_of(target)
        target.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
        partial.rename(target)
    found = open_pack(target, key)
    if found is None:
        raise UserError(f"{target}: a damaged pack; delete that folder and run again")
    return found


def partial_of(target: Path) -> Path:
    """A new name beside ``target``, for what is on its way there or from there."""
    return target.with_name(f"{target.name}.{uuid.uuid4().hex}.partial")
