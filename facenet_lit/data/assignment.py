"""Which images each part holds, and which listed pairs it is judged by: told by names, without a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.data.splits import PARTS, images_of, random_split, view1_split
from facenet_lit.errors import UserError
from facenet_lit.sources.lfw import LFWSource
from facenet_lit.sources.lfw_lists import ListedPair
from facenet_lit.sources.source import Source, Table


class Assignment(NamedTuple):
    """Who is where.

    Attributes:
        parts: image numbers of ``train``, ``val`` and ``test``, each ascending.
        listed_pairs: for a part with an official list, (P, 2) image numbers.
    """

    parts: dict[str, IntArray]
    listed_pairs: dict[str, IntArray]


def assign(table: Table, source: Source, split: str, seed: int) -> Assignment:
    """Splits the identities of a table.

    Args:
        table: what is split.
        source: where LFW's lists are.
        split: ``random``, ``view1``, or ``none``, which puts everyone into ``test``.
        seed: ``data.split_seed``.

    Raises:
        UserError: the split does not fit the images, or a list is missing or malformed.
    """
    identities = table.identities
    pairs: dict[str, IntArray] = {}
    if split == "none":
        nobody = np.empty(0, dtype=np.int64)
        people = {"train": nobody, "val": nobody, "test": np.unique(identities)}
    elif split == "random":
        people = random_split(identities, seed)
    elif isinstance(source, LFWSource):
        train, test = source.people("peopleDevTrain"), source.people("peopleDevTest")
        people = view1_split(identities, table.names, train, test, seed)
        pairs = {"test": number_pairs(source.pairs("pairsDevTest"), table.files)}
    else:
        raise UserError(f"data.split=view1: expected data=lfw, not {source.name}; use data.split=random")
    return Assignment({part: images_of(identities, people[part]) for part in PARTS}, pairs)


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
