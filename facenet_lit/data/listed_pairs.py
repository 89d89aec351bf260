"""Listed pairs: from file names to image numbers, less what did not decode."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError
from facenet_lit.sources.lfw_lists import ListedPair

log = logging.getLogger(__name__)


def number_pairs(listed: Sequence[ListedPair], files: Sequence[str]) -> IntArray:
    """Image numbers of listed pairs.

    Args:
        listed: pairs of file names.
        files: (N,) name of each image.

    Returns:
        (P, 2) image numbers.

    Raises:
        UserError: a listed picture is not there.
    """
    number = {file: place for place, file in enumerate(files)}
    absent = [file for pair in listed for file in (pair.first, pair.second) if file not in number]
    if absent:
        raise UserError(
            f"pairs: {len(absent)} listed pictures are not in the source, {absent[0]} for one; "
            "expected a list made for these pictures"
        )
    pairs = [(number[pair.first], number[pair.second]) for pair in listed]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def decoded_pairs(folds: Sequence[Sequence[ListedPair]], left_out: Collection[str]) -> list[list[ListedPair]]:
    """The listed pairs whose pictures both decoded; how many others there are is warned of.

    Args:
        folds: pairs of file names, by the folds of their list.
        left_out: names of the pictures that did not decode.
    """
    absent = set(left_out)
    left = [[pair for pair in fold if absent.isdisjoint((pair.first, pair.second))] for fold in folds]
    tell_left_out(sum(map(len, left)), sum(map(len, folds)))
    return left


def tell_left_out(left: int, listed: int) -> None:
    """Warns of listed pairs that a picture is missing of."""
    if left < listed:
        log.warning(
            "%d of %d listed pairs are left out: a picture of theirs does not decode", listed - left, listed
        )
