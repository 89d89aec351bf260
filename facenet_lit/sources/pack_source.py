"""A pack as a source: a folder that ``python -m facenet_lit.prepare`` made, here or elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError
from facenet_lit.preprocessing import Picture
from facenet_lit.sources.checksums import checksum
from facenet_lit.sources.decoding import Cut
from facenet_lit.sources.jpeg_records import JpegRecords, decode_jpeg
from facenet_lit.sources.pack_files import ABOUT, Pack, read_about, read_pack
from facenet_lit.sources.picture_files import existing_path
from facenet_lit.sources.source import Read, UnreadableImage

LAYOUT = "a folder that python -m facenet_lit.prepare made"
ADVICE = "name that folder by data.root=DIR"


class PackSource:
    """The images of a pack, with the identity table and the fingerprints that it was made with.

    Args:
        root: the pack's folder.

    Raises:
        UserError: there is no such folder, or no pack in it.
    """

    name = "packed"

    def __init__(self, root: str | Path | None) -> None:
        self.root = existing_path("data.root", root, LAYOUT, ADVICE)
        if not (self.root / ABOUT).is_file():
            raise UserError(f"data.root={root}: no {ABOUT} in it; expected {LAYOUT}; {ADVICE}")

    @cached_property
    def pack(self) -> Pack:
        """The pack, opened: its tables are read and checked.

        Raises:
            UserError: it is damaged, or of another version.
        """
        try:
            return read_pack(self.root)
        except ValueError as error:
            raise UserError(
                f"data.root={self.root}: the pack can't be used ({error}); copy it again, or prepare it anew"
            ) from None

    @property
    def cut(self) -> Cut:
        """How the pack was cut from its own source."""
        settings = self.pack.settings
        return Cut(settings["crop"], settings["size"], settings["quality"])

    @property
    def names(self) -> Sequence[str]:
        """(K,) names of the identities, sorted."""
        return self.pack.names

    @property
    def identities(self) -> IntArray:
        """(N,) index into ``names`` per image, ascending."""
        return self.pack.identities

    @property
    def files(self) -> Sequence[str]:
        """(N,) the unique name that each image had in its own source."""
        return self.pack.files

    @cached_property
    def key(self) -> str:
        """Hash of the pack's key and its images' checksums."""
        assert self.pack.checksums is not None
        return hashlib.sha256(self.pack.key.encode() + self.pack.checksums.tobytes()).hexdigest()

    def pictures(self) -> Iterator[tuple[int, Read]]:
        """Every image by number, and a function that checks and decodes it."""
        for number in range(len(self.files)):
            yield number, partial(self._read, number)

    def _read(self, number: int) -> Picture:
        record, pack = self.pack.record(number), self.pack
        assert pack.checksums is not None
        if checksum(record, pack.fingerprints[number].tobytes()) != pack.checksums[number].tobytes():
            raise UnreadableImage(pack.files[number], "not what its checksum says")
        image = decode_jpeg(record) if isinstance(pack.images, JpegRecords) else record
        if image is None:
            raise UnreadableImage(pack.files[number], "no JPEG")
        return image


def own_setting(root: Any, name: str, otherwise: object = None) -> Any:
    """A setting that a pack was made with, such as ``size``: what its own config has where the user says nothing.

    Args:
        root: its folder.
        name: of the setting.
        otherwise: what is returned where there is no pack, which making a :class:`PackSource` tells of.
    """
    try:
        return read_about(Path(str(root)).expanduser())["settings"][name]
    except (OSError, ValueError, KeyError, TypeError):
        return otherwise
