"""A pack, and how it lies in a folder.

images.npy or images.jpegs + spans.npy   the images: plain pixels, or JPEG records and their places
identities.npy, listing.json             whose they are, and all names
fingerprints.npy, checksums.npy          of each picture at source size; of each image as it lies here
pack.json                                what it is, and the SHA-256 of all of these but the images
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.lib.format import open_memmap

from facenet_lit.batch import IntArray
from facenet_lit.preprocessing import Picture
from facenet_lit.sources.checksums import Digests, differing
from facenet_lit.sources.jpeg_records import RECORDS, SPANS, JpegRecords

log = logging.getLogger(__name__)

FORMAT_VERSION = 3

ABOUT, IMAGES, FINGERPRINTS, CHECKSUMS = "pack.json", "images.npy", "fingerprints.npy", "checksums.npy"
_ARRAYS = ("identities.npy", FINGERPRINTS, CHECKSUMS)
_LISTING = "listing.json"


class Images(Protocol):
    """Images by number: an array, or records that are decoded at each use."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, S, S, 3)."""

    def __len__(self) -> int: ...

    def __getitem__(self, numbers: IntArray, /) -> Picture:
        """(B, S, S, 3) uint8 RGB, a copy, for (B,) numbers."""


@dataclass(frozen=True, eq=False)
class Pack:
    """Decoded pictures by number, with their identity table.

    Attributes:
        images: (N, S, S, 3) uint8 RGB; memory-mapped, read-only, where the pack lies in a folder; or JPEG records.
        identities: (N,) index into ``names`` per image, ascending.
        names: (K,) names of the identities.
        files: (N,) a unique name per image.
        fingerprints: (N, 32) uint8, SHA-256 of each picture at source size.
        key: hash of what identifies the content: source, crop, size and format.
        left_out: the pictures that didn't decode and are not in the pack: by name, why, in a few words.
        settings: what it was made of and how.
        folder: where it lies, None for memory.
        checksums: (N, 16) uint8 of each image, where the pack lies in a folder.
    """

    images: Images
    identities: IntArray
    names: Sequence[str]
    files: Sequence[str]
    fingerprints: Digests
    key: str
    left_out: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None
    checksums: Digests | None = None

    def record(self, number: int) -> Picture:
        """An image as it is stored: (S, S, 3) uint8, or (L,) the bytes of a JPEG."""
        images: Any = self.images
        stored: Picture = images.record(number) if isinstance(images, JpegRecords) else images[number]
        return stored

    def damaged(self) -> IntArray:
        """Numbers of the images that differ from their checksums: every one is read."""
        if self.checksums is None:
            return np.zeros(0, np.int64)
        return differing(self.record, self.fingerprints, self.checksums, np.arange(len(self.files)))


def open_pack(folder: Path, key: str) -> Pack | None:
    """Opens a pack; all but its images is read and checked, of these their length.

    Returns:
        The pack; None where there is none, or a damaged one, which is logged.
    """
    if not folder.is_dir():
        return None
    try:
        return read_pack(folder, key)
    except ValueError as error:
        log.warning("%s is damaged (%s); it is packed anew", folder, error)
        return None


def read_pack(folder: Path, key: str | None = None) -> Pack:
    """Opens a pack likewise.

    Args:
        folder: where it lies.
        key: which it is to be; None for any.

    Raises:
        ValueError: there is none, a damaged one, another, or one of another version.
    """
    try:
        return _read(folder, key)
    except (OSError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def read_about(folder: Path) -> dict[str, Any]:
    """What a pack says of itself.

    Raises:
        ValueError: it is of another version, or none.
        OSError: it can't be read.
    """
    about: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    if about["format"] != FORMAT_VERSION:
        raise ValueError(f"format {about['format']}, not {FORMAT_VERSION}")
    return about


def _read(folder: Path, key: str | None) -> Pack:
    about = read_about(folder)
    if key not in (None, about["key"]):
        raise ValueError("another pack's content")
    for name, digest in about["sha256"].items():
        if _sha256(folder / name) != digest:
            raise ValueError(f"{name} and {ABOUT} differ")
    listing = json.loads((folder / _LISTING).read_text(encoding="utf-8"))
    names, files = tuple(listing["names"]), tuple(listing["files"])
    # open_memmap reads plain arrays only: nothing is unpickled.
    identities, fingerprints, checksums = (np.array(open_memmap(folder / name)) for name in _ARRAYS)
    images = _images(folder, tuple(about["shape"]), about["bytes"])
    lengths = {len(images), len(files), len(identities), len(fingerprints), len(checksums)}
    if len(lengths) > 1 or set(np.unique(identities)) != set(range(len(names))):
        raise ValueError("its tables don't fit together")
    return Pack(
        images=images,
        identities=identities,
        names=names,
        files=files,
        fingerprints=fingerprints,
        key=about["key"],
        left_out=dict(listing["left_out"]),
        settings=dict(about["settings"]),
        folder=folder,
        checksums=checksums,
    )


def _images(folder: Path, shape: tuple[int, ...], size: int) -> Images:
    path = folder / IMAGES
    records = not path.exists()
    if (folder / RECORDS if records else path).stat().st_size != size:
        raise ValueError("its images are cut short, or longer than they were")
    images: Images
    if records:
        images = JpegRecords(folder, np.array(open_memmap(folder / SPANS)), shape[1])
    else:
        images = open_memmap(path, mode="r")
        if images.dtype != np.uint8:
            raise ValueError(f"its images are of {images.dtype}")
    if images.shape != shape:
        raise ValueError(f"its images are {images.shape}, not {shape}")
    return images


def write_tables(folder: Path, pack: Pack) -> None:
    """Writes all of a pack but what was written with the images: these, fingerprints, checksums and spans."""
    np.save(folder / "identities.npy", pack.identities, allow_pickle=False)
    listing = {"names": list(pack.names), "files": list(pack.files), "left_out": dict(pack.left_out)}
    (folder / _LISTING).write_text(json.dumps(listing, indent=0), encoding="utf-8")
    records = isinstance(pack.images, JpegRecords)
    about = {
        "format": FORMAT_VERSION,
        "key": pack.key,
        "settings": dict(pack.settings),
        "shape": list(pack.images.shape),
        "bytes": (folder / (RECORDS if records else IMAGES)).stat().st_size,
        "sha256": {
            name: _sha256(folder / name) for name in (*_ARRAYS, _LISTING, *([SPANS] if records else []))
        },
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")


def publish(whole: Path, target: Path) -> None:
    """Moves a whole pack into its place, and a damaged one that lies there aside: to beside ``whole``.

    Raises:
        OSError: the folder can't be written.
    """
    for path in whole.iterdir():
        # After a rename that outlives a power failure, all that it moved is to be there too.
        with open(path, "rb") as file:
            os.fsync(file)
    if target.exists():
        target.rename(whole.with_name("damaged"))
    whole.rename(target)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
