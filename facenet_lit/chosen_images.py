"""Which images and pairs an evaluation scores."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.data.listed_pairs import number_pairs
from facenet_lit.data.splits import check_folds
from facenet_lit.errors import UserError, shown
from facenet_lit.resolution_checks import count_impostor_pairs
from facenet_lit.sources.lfw_lists import ListedPair, read_pair_folds
from facenet_lit.sources.source import Table

log = logging.getLogger(__name__)


class Chosen(NamedTuple):
    """What is scored.

    Attributes:
        numbers: (N,) image numbers, ascending.
        folds: for each fold of the list, (P, 2) image numbers of its pairs; None for all pairs.
        impostor_pairs: how many of the pairs are of two identities.
    """

    numbers: IntArray
    folds: list[IntArray] | None
    impostor_pairs: int


def read_list(path: str | Path, fold: int | None) -> list[list[ListedPair]]:
    """Listed pairs by the folds of their list.

    Args:
        path: a list in LFW's format.
        fold: the fold of view 2, 1 to 10, that a checkpoint is judged by; None for all.

    Returns:
        The pairs of each fold; of view 2's list those of ``fold`` alone, where it is told.

    Raises:
        UserError: the list can't be read, or has folds, but not ten.
    """
    folds = read_pair_folds(Path(path).expanduser())
    if fold is None or len(folds) == 1:
        return folds
    own, all_pairs = check_folds(str(path), folds)[fold - 1], sum(map(len, folds))
    log.info("%s: %d of %d pairs are scored, those of fold %d alone", path, len(own), all_pairs, fold)
    return [list(own)]


def choose(
    table: Table, parts: Mapping[str, IntArray], part: str, listed: Sequence[Sequence[ListedPair]] | None
) -> Chosen:
    """What is scored: listed pairs, else all pairs of a part.

    Args:
        table: where the images are.
        parts: image numbers of each part.
        part: ``val``, ``test``, or ``all``.
        listed: pairs of file names by the folds of their list, or None.

    Raises:
        UserError: a listed picture is not there, or there is nothing to score.
    """
    if listed is None:
        numbers = _images_of(parts, part)
        _expect_some(numbers, f"part={part}: no image is in it")
        return Chosen(numbers, None, count_impostor_pairs(table.identities[numbers]))
    ends = np.cumsum([len(fold) for fold in listed])
    pairs = number_pairs([pair for fold in listed for pair in fold], table.files)
    _expect_some(pairs, "pairs: none is left")
    first, second = table.identities[pairs].T
    return Chosen(np.unique(pairs), np.split(pairs, ends[:-1]), int((first != second).sum()))


def _expect_some(numbers: IntArray, what: str) -> None:
    if not len(numbers):
        raise UserError(f"{what}; choose another part, or mend the pictures")


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
