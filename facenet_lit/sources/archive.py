"""Reading a tar archive from front to back, without ever extracting it."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, cast

from facenet_lit.errors import UserError

LARGEST = 1 << 26  # bytes of a member that is read: some compress to next to nothing
_GZIP_MAGIC = b"\x1f\x8b"
_BLOCK = 512  # tar's unit; an archive ends with two blocks of zeros (POSIX.1-2001, pax)


class Member(NamedTuple):
    """A regular file of an archive.

    Attributes:
        place: number of the member in the archive, other members counted too.
        path: its path, without ``./``.
        content: its bytes; empty where only paths were asked for, and of a file too large for a picture.
    """

    place: int
    path: PurePosixPath
    content: bytes


def read_members(archive: Path, places: frozenset[int] | None) -> Iterator[Member]:
    """Regular files of a .tar or .tar.gz in one sequential pass, to its end.

    Members whose path is absolute or holds ``..``, links and devices are passed over.

    Args:
        archive: the archive, compressed by gzip or not.
        places: members whose content is wanted; the others are passed over. None for the paths of all.

    Raises:
        UserError: the archive can't be read, is damaged or cut short.
    """
    try:
        # Opened as a stream, tarfile never seeks, which on gzip would start over from the front.
        with _open(archive) as stream, tarfile.open(fileobj=stream, mode="r|") as members:
            for place, info in enumerate(members):
                path = PurePosixPath(info.name)
                if not info.isreg() or path.is_absolute() or ".." in path.parts:
                    continue
                if places is None:
                    yield Member(place, path, b"")
                elif place in places:
                    file = members.extractfile(info) if info.size <= LARGEST else None
                    yield Member(place, path, file.read() if file else b"")
            _expect_end(stream)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise UserError(
            f"data.root={archive}: the archive can't be read to its end ({error}); "
            "it is damaged or cut short: fetch it again"
        ) from None


def _open(archive: Path) -> IO[bytes]:
    with archive.open("rb") as file:
        compressed = file.read(2) == _GZIP_MAGIC
    if compressed:
        return cast(IO[bytes], gzip.open(archive, "rb"))
    _expect_closing_blocks(archive)
    return archive.open("rb")


def _expect_closing_blocks(archive: Path) -> None:
    # tarfile takes an archive cut between two members for a whole one; gzip's checksum tells for the others.
    with archive.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 2 * _BLOCK))
        if size % _BLOCK or file.read().strip(b"\0"):
            raise tarfile.ReadError("its closing blocks are missing")


def _expect_end(stream: IO[bytes]) -> None:
    # gzip checks length and checksum only where everything is read.
    while stream.read(1 << 20):
        pass
