"""Labeled Faces in the Wild: its pictures from an archive or a folder, and its lists.

Huang et al., "Labeled Faces in the Wild: A Database for Studying Face Recognition in Unconstrained
Environments", UMass Amherst Technical Report 07-49, 2007.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError, check_flag
from facenet_lit.sources.lfw_lists import (
    ListedPair,
    read_pair_folds,
    read_pairs,
    read_people,
    read_people_folds,
)
from facenet_lit.sources.lfw_mirrors import ARCHIVE_SUFFIXES, Mirrors
from facenet_lit.sources.lfw_pictures import ADVICE, LFWArchive, LFWFolder
from facenet_lit.sources.picture_files import Listing, existing_path
from facenet_lit.sources.source import Read

log = logging.getLogger(__name__)

PICTURES, PEOPLE = 13_233, 5_749  # of the whole data set
LAYOUT = "LFW's archive (lfw.tgz, lfw-funneled.tgz, lfw-deepfunneled.tgz) or the folder it extracts to"


class LFWSource:
    """LFW's pictures, from the archive itself (read in one pass, never extracted) or from its folder.

    Only pictures in the official layout ``<anything>/<Name>/<Name>_0001.jpg`` count.

    Args:
        root: archive (.tgz, .tar.gz, .tar) or extracted folder.
        lists: folder of the lists (peopleDevTrain.txt, pairs.txt, ...). By default they are looked for in
            the archive's folder, or in the extracted folder and the one around it.
        download: fetch the archive and the lists that are not there, when they are first needed.
        mirrors: their addresses, see :class:`Mirrors`.

    Raises:
        UserError: root or lists is not there (nor can be fetched) or of another kind.
    """

    name = "lfw"

    def __init__(
        self,
        root: str | Path | None,
        lists: str | Path | None = None,
        download: bool = False,
        mirrors: Mirrors | Iterable[object] = (),
    ) -> None:
        self._download = check_flag("data.download", download)
        self._mirrors = mirrors if isinstance(mirrors, Mirrors) else Mirrors(mirrors)
        if download:
            self.root = self._mirrors.archive(root)
        else:
            self.root = existing_path("data.root", root, LAYOUT, f"{ADVICE}, or say data.download=true")
        if not self.root.is_dir() and not self.root.name.lower().endswith(ARCHIVE_SUFFIXES):
            kinds = " or ".join(ARCHIVE_SUFFIXES)
            raise UserError(f"data.root={root}: neither a folder nor a {kinds}; {ADVICE}")
        self._lists = None
        if lists is not None:
            advice = "name that folder by data.lists=DIR"
            self._lists = existing_path("data.lists", lists, "a folder with LFW's lists", advice)
            if not self._lists.is_dir():
                raise UserError(f"data.lists={lists}: a file; expected a folder with LFW's lists; {advice}")

    @cached_property
    def _pictures(self) -> LFWArchive | LFWFolder:
        if self._download:
            self._mirrors.fetch(self.root)
        return LFWFolder(self.root) if self.root.is_dir() else LFWArchive(self.root)

    @cached_property
    def _listing(self) -> Listing:
        listing = self._pictures.listing
        found = len(listing.files), len(listing.names)
        if found != (PICTURES, PEOPLE):
            log.warning(
                "data.root=%s: %s pictures of %s people, where the whole of LFW has %s of %s; "
                "what is told of it compares with no published figure",
                *(self.root, *(f"{count:,}" for count in (*found, PICTURES, PEOPLE))),
            )
        return listing

    @property
    def names(self) -> Sequence[str]:
        """(K,) names of the people, sorted."""
        return self._listing.names

    @property
    def identities(self) -> IntArray:
        """(N,) index into ``names`` per image, ascending."""
        return self._listing.identities

    @property
    def files(self) -> Sequence[str]:
        """(N,) ``<Name>/<Name>_0001.jpg`` per image."""
        return self._listing.files

    @property
    def key(self) -> str:
        """Hash of the archive's name, size and modification time, or of those of the folder's files."""
        return self._pictures.key

    def pictures(self) -> Iterator[tuple[int, Read]]:
        """Every image once, in the archive's order: its number, and a function that decodes it."""
        return self._pictures.read()

    def list_path(self, list_name: str) -> Path:
        """Path of a list, such as ``pairs`` or ``pairs.txt``; fetched, where downloads were asked for.

        Raises:
            UserError: it is nowhere; says where was looked.
        """
        file = list_name if list_name.endswith(".txt") else f"{list_name}.txt"
        places = [self._lists] if self._lists else self._list_folders()
        for place in places:
            if (place / file).is_file():
                return place / file
        known = self._mirrors.knows(file)
        if known and self._download:
            # Beside the root, not in it: an extracted folder is left as it is.
            target = (self._lists or self.root.absolute().parent) / file
            self._mirrors.fetch(target)
            return target
        raise UserError(
            f"data.lists: {file} not found in {' or '.join(str(place) for place in places)}; "
            f"expected LFW's official list{', of which no address is known' if self._download else ''}; "
            "put it there, or name its folder by data.lists=DIR"
            + (", or say data.download=true" if known else "")
            + (", or split without lists (data.split=random)" if self._download else "")
        )

    def people(self, list_name: str) -> list[str]:
        """Names of the people of a list, such as ``peopleDevTrain``, in its order.

        Raises:
            UserError: the list is missing or malformed.
        """
        return read_people(self.list_path(list_name))

    def pairs(self, list_name: str) -> list[ListedPair]:
        """Pairs of a list, such as ``pairsDevTest``, in its order.

        Raises:
            UserError: the list is missing or malformed.
        """
        return read_pairs(self.list_path(list_name))

    def people_folds(self, list_name: str) -> list[list[str]]:
        """Names of the people of each fold of a list such as ``people``.

        Raises:
            UserError: the list is missing or malformed.
        """
        return read_people_folds(self.list_path(list_name))

    def pair_folds(self, list_name: str) -> list[list[ListedPair]]:
        """Pairs of each fold of a list such as ``pairs``.

        Raises:
            UserError: the list is missing or malformed.
        """
        return read_pair_folds(self.list_path(list_name))

    def _list_folders(self) -> list[Path]:
        # A link to the archive may lie beside the lists, or the archive itself.
        parents = [self.root.absolute().parent, self.root.resolve().parent]
        inside = [self.root] if self.root.is_dir() else []
        return list(dict.fromkeys(inside + parents))
