"""What is left of a source where some of its pictures don't decode."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError, shown
from facenet_lit.picture_bytes import READ
from facenet_lit.sources.source import Table

log = logging.getLogger(__name__)

_NAMED = 10  # so many unreadable pictures are named in one line


class Kept(NamedTuple):
    """The pictures that decode, with the identities that have some.

    Attributes:
        numbers: (N,) their numbers in the source.
        identities: (N,) index into ``names``.
        names: (K,) names of the identities.
        files: (N,) a unique name per image.
        left_out: the others: by name, why, in a few words.
    """

    numbers: IntArray
    identities: IntArray
    names: tuple[str, ...]
    files: tuple[str, ...]
    left_out: dict[str, str]


def keep(table: Table, faults: Mapping[int, str]) -> Kept:
    """Leaves out unreadable pictures, and the identities left with none.

    Args:
        table: the source's.
        faults: by number why a picture is unreadable.

    Raises:
        UserError: nothing is left.
    """
    files = table.files
    left_out = {files[number]: faults[number] for number in sorted(faults)}
    numbers = np.delete(np.arange(len(files)), list(faults))
    if not len(numbers):
        _log_all(left_out)
        raise UserError(f"none of {len(files)} pictures decodes: {_named(left_out)}; expected {READ}")
    present, identities = np.unique(table.identities[numbers], return_inverse=True)
    return Kept(
        numbers,
        identities.astype(np.int64),
        tuple(table.names[identity] for identity in present.tolist()),
        tuple(files[number] for number in numbers.tolist()),
        left_out,
    )


def report(left_out: Mapping[str, str], on_bad_image: str) -> None:
    """Names the pictures that don't decode, all at once: as an error, or as a warning.

    Raises:
        UserError: there are some, and ``on_bad_image`` is ``error``.
    """
    if not left_out:
        return
    listed = f"{len(left_out)} pictures don't decode: {_named(left_out)}"
    _log_all(left_out)
    if on_bad_image == "error":
        raise UserError(f"{listed}; mend or remove them, or set data.on_bad_image=skip to leave them out")
    log.warning("%s; left out", listed)


def _named(left_out: Mapping[str, str]) -> str:
    more = f" and {len(left_out) - _NAMED} more, all named in the log" if len(left_out) > _NAMED else ""
    return ", ".join(_with_reasons(left_out)[:_NAMED]) + more


def _log_all(left_out: Mapping[str, str]) -> None:
    """Names every unreadable picture in the log, where one line can't."""
    if len(left_out) > _NAMED:
        log.warning("pictures that don't decode:\n  %s", "\n  ".join(_with_reasons(left_out)))


def _with_reasons(left_out: Mapping[str, str]) -> list[str]:
    return [f"{shown(file)} ({reason})" for file, reason in left_out.items()]
