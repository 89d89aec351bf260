"""Which of LFW's files can be downloaded, and from where."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from facenet_lit.errors import UserError
from facenet_lit.sources.download import Mirror, Patience, fetch

ARCHIVE_SUFFIXES = (".tgz", ".tar.gz", ".tar")
DOWNLOADS = Path("runs/downloads")  # where the archive goes, unless data.root names a place

BRING = "bring your own (data.root=ARCHIVE, with LFW's lists beside it or in data.lists=FOLDER)"


class Mirrors:
    """The addresses of LFW's files.

    Args:
        entries: ``{file: ..., url: ..., sha256: ...}`` each; those of one file are tried in their order.
        patience: with a mirror.

    Raises:
        UserError: one is no address of a file.
    """

    def __init__(self, entries: Iterable[object], patience: Patience | None = None) -> None:
        if isinstance(entries, str) or not isinstance(entries, Iterable):
            raise UserError(f"data.source.mirrors={entries}: expected a list of addresses, see --help")
        self._patience = patience
        self._mirrors = [Mirror.of("data.source.mirrors", entry) for entry in entries]

    def knows(self, file: str) -> bool:
        """Whether there is an address of a file."""
        return any(mirror.file == file for mirror in self._mirrors)

    def archive(self, root: str | Path | None) -> Path:
        """Where the archive is, or is to go.

        Args:
            root: ``data.root``; None for the first archive that there is an address of, in :data:`DOWNLOADS`.

        Raises:
            UserError: there is nothing, and no address of it.
        """
        known = dict.fromkeys(m.file for m in self._mirrors if m.file.endswith(ARCHIVE_SUFFIXES))
        if root is None and not known:
            raise UserError(f"data.download: data.source.mirrors has no archive; {BRING}")
        path = Path(str(root)).expanduser() if root is not None else DOWNLOADS / next(iter(known))
        if not path.exists() and path.name not in known:
            raise UserError(
                f"data.root={root}: not found, and no address of {path.name} is known; expected a name of those "
                f"known ({', '.join(known)}), or {BRING}"
            )
        return path

    def fetch(self, target: Path) -> None:
        """Downloads a file to a place by its name, unless it is there.

        Raises:
            UserError: it can't be had.
        """
        fetch(target, [m for m in self._mirrors if m.file == target.name], BRING, self._patience)
