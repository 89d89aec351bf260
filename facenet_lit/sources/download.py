"""Downloads: from the first mirror that gives the right bytes, gone on with where one was cut off.

What has come so far lies beside the file, as ``NAME.<first digits of its checksum>.part``, and becomes the file by a
rename once its SHA-256 is the expected one. So a file is there whole and right, or not at all.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from facenet_lit.errors import UserError
from facenet_lit.sources.web_request import RequestFailed, requested

log = logging.getLogger(__name__)

_CHUNK = 1 << 20  # bytes hashed at a time
_FORMS = {"file": r"\w[\w.-]*", "url": r"https?://[!-~]+", "sha256": "[0-9a-f]{64}"}


class Mirror(NamedTuple):
    """Where a file is, and what it has to be.

    Attributes:
        file: its name.
        url: its address.
        sha256: of its bytes, 64 hexadecimal digits.
    """

    file: str
    url: str
    sha256: str

    @classmethod
    def of(cls, setting: str, entry: object) -> Mirror:
        """A mirror as a config says it.

        Raises:
            UserError: something is missing or odd.
        """
        words = dict(entry) if isinstance(entry, Mapping) else {}
        if words.keys() != _FORMS.keys() or not all(
            re.fullmatch(form, str(words[name])) for name, form in _FORMS.items()
        ):
            raise UserError(
                f"{setting}={entry}: expected {{file: NAME, url: ADDRESS, sha256: DIGITS}}, the address of http or "
                "https, the 64 digits in small letters"
            )
        return cls(*(str(words[name]) for name in _FORMS))


class Patience(NamedTuple):
    """How much a mirror is borne with.

    Attributes:
        tries: where it is cut off or busy.
        timeout: seconds without a byte after which it counts as cut off.
        pause: seconds before the second try, doubled before each further one.
    """

    tries: int = 5
    timeout: float = 30.0
    pause: float = 1.0


def fetch(
    target: Path,
    mirrors: Sequence[Mirror],
    advice: str,
    patience: Patience | None = None,
    progress: bool = True,
) -> None:
    """Downloads a file, unless it is there; of two processes that want it one does, and the other waits.

    Args:
        target: where it goes.
        mirrors: of this file, in the order they are tried.
        advice: what to do where none gives it, for the error.
        patience: with a mirror.
        progress: show a progress bar.

    Raises:
        UserError: no mirror gives it, or it can't be written.
    """
    if target.exists():
        return
    failures: list[str] = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target.parent):
            for mirror in mirrors:
                if target.exists():
                    return
                try:
                    _from_mirror(mirror, target, patience or Patience(), progress)
                except RequestFailed as failure:
                    failures.append(f"{mirror.url} {failure}")
                    log.warning("data.download: %s", failures[-1])
    except OSError as error:
        reason = error.strerror or error
        raise UserError(
            f"data.download: {target} can't be written ({reason}); make room, or {advice}"
        ) from error
    if not target.exists():
        kept = any(_part(mirror, target).exists() for mirror in mirrors)
        again = "what came is kept, and the same command goes on from there; or " if kept else ""
        raise UserError(f"data.download: {target.name} can't be had: {'; '.join(failures)}; {again}{advice}")


def _from_mirror(mirror: Mirror, target: Path, patience: Patience, progress: bool) -> None:
    part = _part(mirror, target)
    log.info("downloading %s from %s", target, mirror.url)
    for attempt in range(patience.tries):
        try:
            with open(part, "ab") as file, _bar(mirror.file, progress) as told:
                _complete(mirror, file, patience.timeout, told)
            os.replace(part, target)
            return
        except RequestFailed as failure:
            if not part.stat().st_size:
                part.unlink()
            if not failure.again or attempt + 1 == patience.tries:
                raise
            log.info("data.download: %s %s; trying again", mirror.url, failure)
            time.sleep(patience.pause * 2**attempt)


def _complete(
    mirror: Mirror, file: IO[bytes], timeout: float, told: Callable[[int, int | None], None]
) -> None:
    """Appends to a part what is missing, and checks the whole; wrong bytes are taken out again.

    Raises:
        RequestFailed: the mirror did not give the right bytes.
    """
    had = file.tell()
    if had and _sha256(file) == mirror.sha256:  # stopped between its last byte and the rename
        return
    with requested(mirror.url, had, timeout) as answer:
        if answer.start < had:
            had = _emptied(file)
        _expect_room(file, (answer.total or 0) - had)
        for chunk in answer.chunks:
            file.write(chunk)
            told(file.tell(), answer.total)
    if answer.total is not None and file.tell() < answer.total:
        raise RequestFailed(f"cut off after {file.tell()} of {answer.total} bytes", again=True)
    if _sha256(file) != mirror.sha256:
        _emptied(file)
        # Where it went on from what was there, that may be to blame.
        raise RequestFailed("sent other bytes than those of its sha256", again=had > 0)


def _part(mirror: Mirror, target: Path) -> Path:
    return target.with_name(f"{target.name}.{mirror.sha256[:8]}.part")


def _emptied(file: IO[bytes]) -> int:
    file.truncate(0)
    return file.seek(0)


def _expect_room(file: IO[bytes], needed: int) -> None:
    free = shutil.disk_usage(Path(file.name).parent).free
    if free < needed:
        raise OSError(errno.ENOSPC, f"{needed >> 20} MiB needed, {free >> 20} MiB free")


def _sha256(file: IO[bytes]) -> str:
    file.flush()
    digest = hashlib.sha256()
    with open(file.name, "rb") as whole:
        while chunk := whole.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Holds a folder, waiting for whoever has it; the lock ends with the process, however that ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("data.download: waiting for another process that downloads into %s", folder)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _bar(name: str, progress: bool) -> Iterator[Callable[[int, int | None], None]]:
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=Console(stderr=True), disable=not progress) as bar:
        task = bar.add_task(f"downloading {name}", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
