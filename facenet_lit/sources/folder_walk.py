"""Walking a folder with a subfolder per identity: which pictures lie there, and what else.

Links are followed, but nothing is entered twice and no circle walked: first all real folders are walked, then
the links to folders, then those to files, and of all these only what lies elsewhere. So what a folder holds
belongs to the place where it lies, and a picture that two links of a person lead to counts once.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from facenet_lit.sources.picture_files import is_picture

# What systems leave in people's folders; hidden files and folders, as .DS_Store and ._1.jpg, are passed over too.
SYSTEM_NAMES = frozenset({"Thumbs.db", "desktop.ini", "@eaDir", "__MACOSX", "$RECYCLE.BIN", "lost+found"})


@dataclass
class Found:
    """What a walk found. Paths are relative to the root.

    Attributes:
        pictures: identity and path of each, in no particular order.
        deeper: pictures in a folder below their identity's.
        loose: pictures that lie right in the root.
        empty: identities' folders without a picture.
        others: how many other files there are, by suffix.
        repeated: links to what is there anyway, or to a folder around it.
        dead: links to nothing.
    """

    pictures: list[tuple[str, str]] = field(default_factory=list)
    deeper: list[str] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    repeated: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)


class _Place(NamedTuple):
    """Something in the tree: its path under the root, and its real one, without links."""

    path: str
    real: str

    @property
    def identity(self) -> str:
        return self.path.split("/", 1)[0]


def walk(root: str) -> Found:
    """Finds the pictures below a folder: those of a subfolder, however deep, are of one identity.

    Raises:
        OSError: a folder can't be read.
    """
    walker = _Walker(root)
    walker.enter(_Place("", os.path.realpath(root)))
    walker.follow_links()
    found = walker.found
    with_pictures = {identity for identity, _ in found.pictures}
    found.empty = sorted(walker.identities - with_pictures)
    for paths in (found.deeper, found.loose, found.repeated, found.dead):
        paths.sort()
    return found


class _Walker:
    def __init__(self, root: str) -> None:
        self.root = root
        self.found = Found()
        self.identities: set[str] = set()
        self._around = os.path.join(os.path.realpath(root), "")
        self._entered: dict[str, str] = {}  # real path of a folder: its identity
        self._linked: set[tuple[str, str]] = set()  # identity, and real path of a picture met by a link
        self._links: list[str] = []

    def enter(self, top: _Place) -> None:
        """Walks a folder and all real ones below it; links are kept for later."""
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            if folder.real in self._entered:
                continue
            self._entered[folder.real] = folder.identity
            if folder.path and "/" not in folder.path:
                self.identities.add(folder.path)
            waiting += self._read(folder)

    def _read(self, folder: _Place) -> Iterator[_Place]:
        """Takes the pictures of a folder; yields the folders in it."""
        inner = f"{folder.path}/" if folder.path else ""
        real = os.path.join(folder.real, "")
        with os.scandir(os.path.join(self.root, folder.path)) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith(".") or name in SYSTEM_NAMES:
                    continue
                if entry.is_symlink():
                    self._links.append(inner + name)
                elif entry.is_dir(follow_symlinks=False):
                    yield _Place(inner + name, real + name)
                elif is_picture(name) and entry.is_file(follow_symlinks=False):
                    self._take(inner + name)
                else:
                    self.found.others[os.path.splitext(name)[1].lower()] += 1

    def _take(self, path: str) -> None:
        identity, _, rest = path.partition("/")
        if not rest:
            self.found.loose.append(path)
            return
        self.found.pictures.append((identity, path))
        if "/" in rest:
            self.found.deeper.append(path)

    def follow_links(self) -> None:
        """Follows the links to folders, and those met on the way, then those to files; in the order of their paths."""
        to_files: list[_Place] = []
        while self._links:
            paths, self._links = sorted(self._links), []
            for path in paths:
                link = _Place(path, os.path.realpath(os.path.join(self.root, path)))
                if os.path.isdir(link.real):
                    self._follow_to_folder(link)
                else:
                    to_files.append(link)
        for link in sorted(to_files):
            self._follow_to_file(link)

    def _follow_to_folder(self, link: _Place) -> None:
        if link.real in self._entered or self._around.startswith(os.path.join(link.real, "")):
            self.found.repeated.append(link.path)
        else:
            self.enter(link)

    def _follow_to_file(self, link: _Place) -> None:
        if not os.path.exists(link.real):
            self.found.dead.append(link.path)
        elif not (is_picture(os.path.basename(link.path)) and os.path.isfile(link.real)):
            self.found.others[os.path.splitext(link.path)[1].lower()] += 1
        elif self._is_there(link):
            self.found.repeated.append(link.path)
        else:
            self._linked.add((link.identity, link.real))
            self._take(link.path)

    def _is_there(self, link: _Place) -> bool:
        """Whether the picture that a link leads to is the same identity's already."""
        folder, name = os.path.split(link.real)
        beside = self._entered.get(folder) == link.identity and is_picture(name)
        return beside or (link.identity, link.real) in self._linked
