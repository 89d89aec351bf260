"""Pictures in folders, one per identity."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError
from facenet_lit.sources.picture_files import Listing, existing_path, is_picture, read_file
from facenet_lit.sources.source import Read

LAYOUT = "a folder with a subfolder per identity that holds its pictures (.jpg, .jpeg, .png)"


class FolderSource:
    """A folder with a subfolder per identity, each with its pictures in JPEG or PNG, grey or colour.

    The identity's name is its subfolder's. Other files, hidden ones and deeper folders are ignored.

    Args:
        root: the folder.

    Raises:
        UserError: there is no such folder.
    """

    name = "folder"

    def __init__(self, root: str | Path) -> None:
        self.root = existing_path("data.root", root, LAYOUT, "name that folder by data.root=DIR")
        if not self.root.is_dir():
            raise UserError(f"data.root={root}: a file; expected {LAYOUT}; name that folder by data.root=DIR")

    @cached_property
    def _listing(self) -> Listing:
        listing = Listing.of(list_pictures(self.root))
        if not listing.files:
            raise UserError(
                f"data.root={self.root}: no pictures found; expected {LAYOUT}, as in "
                f"{self.root.name}/Ada_Lovelace/1.jpg; put the pictures there or name another folder"
            )
        return listing

    @property
    def names(self) -> Sequence[str]:
        """(K,) names of the subfolders with pictures, sorted."""
        return self._listing.names

    @property
    def identities(self) -> IntArray:
        """(N,) index into ``names`` per image, ascending."""
        return self._listing.identities

    @property
    def files(self) -> Sequence[str]:
        """(N,) ``<identity>/<file>`` per image."""
        return self._listing.files

    @cached_property
    def key(self) -> str:
        """Hash of the files' paths, sizes and modification times."""
        return hash_files(self.root, self.files)

    def pictures(self) -> Iterator[tuple[int, Read]]:
        """Every image in the order of ``files``: its number, and a function that reads and decodes it."""
        for number, file in enumerate(self.files):
            yield number, partial(read_file, self.root / file, file)


def list_pictures(root: Path) -> list[str]:
    """``<subfolder>/<file>`` of every picture in a subfolder of ``root``, in no particular order.

    Raises:
        UserError: a folder can't be read.
    """
    try:
        with os.scandir(root) as entries:
            folders = [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
        return [f"{folder.name}/{file}" for folder in folders for file in _picture_names(folder.path)]
    except OSError as error:
        raise UserError(f"data.root={root}: {error.filename} can't be read ({error.strerror})") from None


def _picture_names(folder: str) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if is_picture(entry.name) and entry.is_file()]


def hash_files(root: Path, files: Sequence[str]) -> str:
    """SHA-256 in hexadecimal of the folder's path and its files' paths, sizes and modification times.

    Raises:
        UserError: a file is gone or can't be reached.
    """
    digest = hashlib.sha256(os.fsencode(root.resolve()))
    for file in files:
        try:
            status = os.stat(root / file)
        except OSError as error:
            raise UserError(f"data.root={root}: {file} can't be read ({error.strerror}); run again") from None
        digest.update(f"\0{file}\0{status.st_size}\0{status.st_mtime_ns}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
