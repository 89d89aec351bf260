"""Files of pictures: which they are, whose they are, and how they are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError
from facenet_lit.preprocessing import Picture, composed, decode, why_undecodable
from facenet_lit.sources.source import UnreadableImage

PICTURE_SUFFIXES = (
    ".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pbm", ".pgm", ".ppm", ".pnm",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Listing:
    """Identity table of images.

    Attributes:
        names: (K,) names of the identities in Unicode's form NFC, sorted. Who is written in several forms, which
            look the same, is one identity.
        identities: (N,) index into ``names`` per image, ascending.
        files: (N,) a unique name per image, sorted within their identity.
    """

    names: tuple[str, ...]
    identities: IntArray
    files: tuple[str, ...]

    @classmethod
    def of(cls, files: Iterable[str]) -> Listing:
        """Sorts images that are named ``<identity>/<file>`` into a table."""
        return cls.of_rows((file.split("/", 1)[0], file) for file in files)

    @classmethod
    def of_rows(cls, rows: Iterable[tuple[str, str]]) -> Listing:
        """Sorts (identity, image) pairs into a table."""
        pairs = sorted((composed(identity), file) for identity, file in rows)
        counts = Counter(identity for identity, _ in pairs)  # in the order met, which is sorted
        identities = np.repeat(np.arange(len(counts), dtype=np.int64), list(counts.values()))
        return cls(tuple(counts), identities, tuple(file for _, file in pairs))


def is_picture(file: str) -> bool:
    """Whether a file's name, without its folders, is that of a picture: by its suffix in any case; not hidden."""
    return file.lower().endswith(PICTURE_SUFFIXES) and not file.startswith(".")


def decode_or_raise(name: str, encoded: bytes) -> Picture:
    """Decodes the bytes of a picture.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        UnreadableImage: they are not a whole picture.
    """
    picture = decode(encoded)
    if picture is None:
        raise UnreadableImage(name, why_undecodable(encoded))
    return picture


def read_file(path: Path, name: str) -> Picture:
    """Reads and decodes a file, named ``name`` in its source.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        UnreadableImage: it can't be read, or is not a whole picture.
    """
    try:
        encoded = path.read_bytes()
    except OSError as error:
        raise UnreadableImage(name, error.strerror or "can't be read") from None
    return decode_or_raise(name, encoded)


def existing_path(setting: str, value: str | Path | None, expected: str, advice: str) -> Path:
    """Returns the path a setting names, if there is one.

    Args:
        setting: the setting's name as the user writes it.
        value: what the user gave.
        expected: what ought to be there, for the error.
        advice: what to do, for the error.

    Raises:
        UserError: the setting is empty, or there is nothing at that path.
    """
    if value is None or not str(value):
        raise UserError(f"{setting}: not given; expected {expected}; {advice}")
    path = Path(str(value)).expanduser()  # a bare number on the command line is no string
    if not path.exists():
        raise UserError(f"{setting}={value}: not found; expected {expected}; {advice}")
    return path
