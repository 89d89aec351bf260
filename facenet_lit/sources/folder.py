"""Pictures in files: a folder per identity, or a list."""

from __future__ import annotations

import hashlib
import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError, shown
from facenet_lit.preprocessing import composed
from facenet_lit.sources.folder_walk import Found, walk
from facenet_lit.sources.listed_files import EXPECTED, read_list
from facenet_lit.sources.picture_files import Listing, existing_path, read_file
from facenet_lit.sources.source import Read

LAYOUT = "a folder with a subfolder per identity that holds its pictures (.jpg, .png, ...)"
ROOT_ADVICE = "name that folder by data.root=DIR, or a list of pictures by data.list=FILE"
LIST_ADVICE = "name that file by data.list=FILE"

_NAMED = 5  # so many kinds of other files are named in a line

log = logging.getLogger(__name__)


class FolderSource:
    """Pictures in files: a folder with a subfolder per identity, or a list of paths and identities.

    In a folder the identity's name is its subfolder's, and the pictures of deeper folders are its too. What
    else lies there is told in a line each, and so are names that are written in several forms of Unicode: each
    is one identity.

    Args:
        root: the folder; with a list what its paths start from, by default the list's folder.
        list_file: a CSV file with the columns ``path`` and ``identity``; then the folder isn't searched.

    Raises:
        UserError: there is no such folder or list.
    """

    name = "folder"

    def __init__(self, root: str | Path | None, list_file: str | Path | None = None) -> None:
        self._list = None
        if list_file is not None:
            self._list = existing_path("data.list", list_file, EXPECTED, LIST_ADVICE)
            if not self._list.is_file():
                raise UserError(f"data.list={list_file}: not a file; expected {EXPECTED}; {LIST_ADVICE}")
            root = self._list.parent if root is None else root
        self.root = existing_path("data.root", root, LAYOUT, ROOT_ADVICE)
        if not self.root.is_dir():
            raise UserError(f"data.root={root}: a file; expected {LAYOUT}; {ROOT_ADVICE}")

    @cached_property
    def _listing(self) -> Listing:
        if self._list is not None:
            return _one_of_each_name(f"data.list={self._list}", read_list(self._list, self.root))
        found = _walked(self.root)
        for line in remarks(found):
            log.warning("data.root=%s: %s", self.root, line)
        if not found.pictures:
            loose = f" in a subfolder, {len(found.loose)} right in it" if found.loose else ""
            raise UserError(
                f"data.root={self.root}: no pictures found{loose}; expected {LAYOUT}, as in "
                f"{self.root.name}/Ada_Lovelace/1.jpg; put the pictures there or name another folder"
            )
        return _one_of_each_name(f"data.root={self.root}", found.pictures)

    @property
    def names(self) -> Sequence[str]:
        """(K,) names of the identities with pictures, sorted."""
        return self._listing.names

    @property
    def identities(self) -> IntArray:
        """(N,) index into ``names`` per image, ascending."""
        return self._listing.identities

    @property
    def files(self) -> Sequence[str]:
        """(N,) path under the root per image, such as ``<identity>/<file>``."""
        return self._listing.files

    @cached_property
    def key(self) -> str:
        """Hash of the files' paths, sizes, modification times and identities."""
        files = hash_files(self.root, self.files)
        whose = "\0".join(self.names[identity] for identity in self.identities.tolist())
        return hashlib.sha256(f"{files}\0{whose}".encode("utf-8", "surrogateescape")).hexdigest()

    def pictures(self) -> Iterator[tuple[int, Read]]:
        """Every image in the order of ``files``: its number, and a function that reads and decodes it."""
        for number, file in enumerate(self.files):
            yield number, partial(read_file, self.root / file, file)


def _walked(root: Path) -> Found:
    try:
        return walk(str(root))
    except OSError as error:
        raise UserError(
            f"data.root={root}: {shown(str(error.filename))} can't be read ({error.strerror}); "
            "make it readable, or name another folder"
        ) from None


def _one_of_each_name(where: str, rows: Sequence[tuple[str, str]]) -> Listing:
    """The table of (identity, image) pairs; warns of names that stand there in several forms of Unicode."""
    forms = Counter(map(composed, {identity for identity, _ in rows}))
    several = sorted(name for name, count in forms.items() if count > 1)
    if several:
        log.warning(
            "%s: %d names are written in several forms of Unicode, %s for one, and are one person's each",
            where,
            len(several),
            shown(several[0]),
        )
    return Listing.of_rows(rows)


def remarks(found: Found) -> list[str]:
    """What a walk found beside the pictures where they are expected, a line each."""
    others = sum(found.others.values())
    kinds = sorted((-n, suffix) for suffix, n in found.others.items())
    named = ", ".join(f"{shown(suffix) or 'no suffix'} {-n}" for n, suffix in kinds[:_NAMED])
    more = ", ..." if len(kinds) > _NAMED else ""
    told = [
        (
            found.loose,
            "pictures right in it, {}, are nobody's and left out; put each into its person's folder",
        ),
        (found.deeper, "pictures in deeper folders, {}, are of the person whose folder it is at the top"),
        (found.empty, "folders without a picture, {}, are passed over"),
        (found.repeated, "links to what is there anyway, {}, are passed over"),
        (found.dead, "links to nothing, {}, are passed over"),
    ]
    lines = [f"{len(paths)} {line.format(f'{shown(paths[0])} for one')}" for paths, line in told if paths]
    return lines + (
        [f"{others} files that are no pictures ({named}{more}) are passed over"] if others else []
    )


def hash_files(root: Path, files: Sequence[str]) -> str:
    """SHA-256 in hexadecimal of the folder's path and its files' paths, sizes and modification times.

    Raises:
        UserError: a file is gone or can't be reached.
    """
    place = str(root)
    digest = hashlib.sha256(os.fsencode(root.resolve()))
    for file in files:
        try:
            status = os.stat(os.path.join(place, file))
        except OSError as error:
            raise UserError(
                f"data.root={root}: {shown(file)} can't be read ({error.strerror}); run again"
            ) from None
        digest.update(f"\0{file}\0{status.st_size}\0{status.st_mtime_ns}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
