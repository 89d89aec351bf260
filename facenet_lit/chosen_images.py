"""Which images and pairs an evaluation scores."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.data.listed_pairs import number_pairs
from facenet_lit.errors import UserError, shown
from facenet_lit.resolution_checks import count_impostor_pairs
from facenet_lit.sources.lfw_lists import ListedPair
from facenet_lit.sources.source import Table

log = logging.getLogger(__name__)


class Chosen(NamedTuple):
    """What is scored.

    Attributes:
        numbers: (N,) image numbers, ascending.
        pairs: (P, 2) image numbers of listed pairs, or None for all pairs.
        impostor_pairs: how many of the pairs are of two identities.
    """

    numbers: IntArray
    pairs: IntArray | None
    impostor_pairs: int


def choose(
    table: Table, parts: Mapping[str, IntArray], part: str, listed: Sequence[ListedPair] | None
) -> Chosen:
    """What is scored: listed pairs, else all pairs of a part.

    Args:
        table: where the images are.
        parts: image numbers of each part.
        part: ``val``, ``test``, or ``all``.
        listed: pairs of file names, or None.

    Raises:
        UserError: a listed picture is not there, or there is nothing to score.
    """
    pairs = None if listed is None else number_pairs(listed, table.files)
    numbers = _images_of(parts, part) if pairs is None else np.unique(pairs)
    if not len(numbers):
        what = f"part={part}: no image is in it" if pairs is None else "pairs: none is left"
        raise UserError(f"{what}; choose another part, or mend the pictures")
    if pairs is None:
        return Chosen(numbers, None, count_impostor_pairs(table.identities[numbers]))
    first, second = table.identities[pairs].T
    return Chosen(numbers, pairs, int((first != second).sum()))


def _images_of(parts: Mapping[str, IntArray], part: str) -> IntArray:
    return parts["test" if part == "all" else part]


def refuse_outside(chosen: Chosen, data: FaceDataModule, part: str) -> None:
    """Refuses listed pairs that reach out of the part; warns where leaks are allowed.

    Raises:
        UserError: one does.
    """
    outside = np.setdiff1d(chosen.numbers, _images_of(data.listed.parts, part))
    if not len(outside):
        return
    line = f"{len(outside)} listed pictures are not in part={part}, {shown(data.source.files[outside[0]])} for one"
    if not data.allow_leak:
        raise UserError(f"pairs: {line}; say part=all, or give the list of this part")
    log.warning("leak, allowed by data.allow_leak: %s", line)
