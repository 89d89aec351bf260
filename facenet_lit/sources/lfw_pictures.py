"""LFW's pictures as they lie in its archive or in its extracted folder."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from functools import cached_property, partial
from pathlib import Path

from facenet_lit.errors import UserError
from facenet_lit.sources.archive import read_members
from facenet_lit.sources.folder import hash_files
from facenet_lit.sources.picture_files import Listing, decode_or_raise, is_picture, read_file
from facenet_lit.sources.source import Read

ADVICE = "bring your own copy and name it by data.root=PATH"

# The official layout: <anything>/Ada_Lovelace/Ada_Lovelace_0001.jpg.
_PICTURE = re.compile(r"(?P<name>[^/]+)/(?P=name)_\d{4}\.jpg")


class LFWArchive:
    """LFW in its archive."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive

    @cached_property
    def _places(self) -> dict[str, int]:
        """Number in the archive of every picture; of several of one name the last, as extracting gives."""
        paths = [(str(member.path), member.place) for member in read_members(self._archive, None)]
        places = dict(paths)
        return {file: places[path] for file, path in _official_pictures(self._archive, places).items()}

    @cached_property
    def listing(self) -> Listing:
        """Identity table of the pictures."""
        return Listing.of(self._places)

    @cached_property
    def key(self) -> str:
        """Hash of the archive's name, size and modification time."""
        status = self._archive.stat()
        words = f"{self._archive.name}\0{status.st_size}\0{status.st_mtime_ns}"
        return hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()

    def read(self) -> Iterator[tuple[int, Read]]:
        """Every picture in one pass through the archive: its number, and a function that decodes it."""
        wanted = {self._places[file]: (number, file) for number, file in enumerate(self.listing.files)}
        for member in read_members(self._archive, frozenset(wanted)):
            number, file = wanted[member.place]
            yield number, partial(decode_or_raise, file, member.content)


class LFWFolder:
    """LFW extracted: the people's folders lie in the folder itself, or in a single folder within."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @cached_property
    def _paths(self) -> dict[str, str]:
        """Path under the root of every picture."""
        paths = [path for path in _list_pictures(self._root) if _PICTURE.fullmatch(path)]
        if not paths:
            inner = sorted(entry for entry in self._root.iterdir() if entry.is_dir())
            paths = [f"{folder.name}/{path}" for folder in inner for path in _list_pictures(folder)]
        return _official_pictures(self._root, paths)

    @cached_property
    def listing(self) -> Listing:
        """Identity table of the pictures."""
        return Listing.of(self._paths)

    @cached_property
    def key(self) -> str:
        """Hash of the files' paths, sizes and modification times."""
        return hash_files(self._root, [self._paths[file] for file in self.listing.files])

    def read(self) -> Iterator[tuple[int, Read]]:
        """Every picture by number, and a function that reads and decodes it."""
        for number, file in enumerate(self.listing.files):
            yield number, partial(read_file, self._root / self._paths[file], file)


def _list_pictures(root: Path) -> list[str]:
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


def _official_pictures(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Full path by ``<Name>/<Name>_0001.jpg`` of the pictures in the official layout.

    Raises:
        UserError: there is none, or they lie in several folders, which would be several copies.
    """
    found = {path: path.split("/") for path in paths}
    pictures = {path: "/".join(parts[-2:]) for path, parts in found.items()}
    pictures = {path: file for path, file in pictures.items() if _PICTURE.fullmatch(file)}
    folders = sorted({"/".join(found[path][:-2]) or "." for path in pictures})
    if len(folders) > 1:
        raise UserError(
            f"data.root={root}: pictures in several folders ({', '.join(folders[:3])}); "
            "expected one copy of LFW; name a folder with one by data.root=PATH"
        )
    if not pictures:
        raise UserError(
            f"data.root={root}: no pictures in LFW's layout found; expected "
            f"<any folder>/Ada_Lovelace/Ada_Lovelace_0001.jpg; {ADVICE}, or use data=folder"
        )
    return {file: path for path, file in pictures.items()}
