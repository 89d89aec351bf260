"""Which images each part holds, and which listed pairs it is judged by: told by names, without a picture."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.data.equal_pictures import (
    find_label_noise,
    find_repeats,
    first_equals,
    tell_noise,
    tell_repeats,
)
from facenet_lit.data.listed_pairs import number_pairs, tell_left_out
from facenet_lit.data.splits import (
    PARTS,
    check_folds,
    check_parts,
    images_of,
    random_split,
    triplet_split,
    val_fold,
    view1_split,
    view2_split,
)
from facenet_lit.errors import UserError
from facenet_lit.sources.lfw import LFWSource
from facenet_lit.sources.lfw_lists import ListedPair
from facenet_lit.sources.pack_files import Pack
from facenet_lit.sources.source import Source, Table

log = logging.getLogger(__name__)

OFFICIAL = ("view1", "view2")  # splits by LFW's own lists


class Assignment(NamedTuple):
    """Who is where.

    Attributes:
        parts: image numbers of ``train``, ``val`` and ``test``, each ascending.
        listed_pairs: for a part with an official list, (P, 2) image numbers.
    """

    parts: dict[str, IntArray]
    listed_pairs: dict[str, IntArray]


def assign(table: Table, source: Source, split: str, seed: int, fold: int | None = None) -> Assignment:
    """Splits the identities of a table.

    Args:
        table: what is split.
        source: where LFW's lists are.
        split: ``random``, ``view1``, ``view2``, ``triplets``, or ``none``, which puts everyone into ``test``.
        seed: ``data.split_seed``.
        fold: ``data.fold``, the fold of view 2 that is ``test``.

    Raises:
        UserError: the split does not fit the images, or a list is missing or malformed.
    """
    if split in OFFICIAL:
        if not isinstance(source, LFWSource):
            raise UserError(
                f"data.split={split}: expected data=lfw, not {source.name}; use data.split=random"
            )
        return _view1(table, source, seed) if split == "view1" else _view2(table, source, fold or 0)
    if split == "triplets":
        return Assignment(triplet_split(table.identities, seed), {})
    everyone = np.unique(table.identities)
    nobody = everyone[:0]
    people = {"train": nobody, "val": nobody, "test": everyone}
    return _assigned(table, people if split == "none" else random_split(table.identities, seed))


def _view1(table: Table, source: LFWSource, seed: int) -> Assignment:
    # Lists first: the pictures may have to be fetched.
    train, test = source.people("peopleDevTrain"), source.people("peopleDevTest")
    pairs = source.pairs("pairsDevTest")
    return _assigned(table, view1_split(table.identities, table.names, train, test, seed), {"test": pairs})


def _view2(table: Table, source: LFWSource, fold: int) -> Assignment:
    people, pairs = source.people_folds("people"), check_folds("pairs.txt", source.pair_folds("pairs"))
    listed = {"val": pairs[val_fold(fold) - 1], "test": pairs[fold - 1]}
    return _assigned(table, view2_split(table.identities, table.names, people, fold), listed)


def _assigned(
    table: Table, people: Mapping[str, IntArray], pairs: Mapping[str, Sequence[ListedPair]] | None = None
) -> Assignment:
    """Identities and listed pairs of each part by image numbers."""
    parts = {part: images_of(table.identities, people[part]) for part in PARTS}
    numbered = {part: number_pairs(listed, table.files) for part, listed in (pairs or {}).items()}
    return Assignment(parts, numbered)


def drop_outside(found: Assignment) -> Assignment:
    """Takes out the listed pairs that reach out of their part, which allowed leaks may.

    A part is scored on its own images: to such a pair there is no distance. How many there are is warned of.
    """
    pairs = {}
    for part, listed in found.listed_pairs.items():
        inside = np.isin(listed, found.parts[part]).all(axis=1)
        pairs[part] = listed[inside]
        if not inside.all():
            log.warning(
                "%d of %d listed pairs of %s are not scored: they reach out of it",
                (~inside).sum(),
                len(listed),
                part,
            )
    return found._replace(listed_pairs=pairs)


def packed(listed: Assignment, listing: Table, faces: Pack) -> Assignment:
    """The same people and pairs by the numbers of a pack, less what did not decode.

    So who is where depends on the listing alone: a broken picture takes itself out, and moves nobody else.

    Args:
        listed: who is where by the listing.
        listing: what was packed.
        faces: the pack.

    Raises:
        UserError: too little of a part is left.
    """
    if not faces.left_out:
        return listed
    kept = np.array([file not in faces.left_out for file in listing.files])
    place = np.cumsum(kept) - 1  # a pack keeps the order of its listing
    parts = {part: place[numbers[kept[numbers]]] for part, numbers in listed.parts.items()}
    _check_left(parts, faces, np.arange(len(faces.files)))
    pairs = {}
    for part, numbers in listed.listed_pairs.items():
        pairs[part] = place[numbers[kept[numbers].all(axis=1)]]
        tell_left_out(len(pairs[part]), len(numbers))
    return Assignment(parts, pairs)


def without_repeats(found: Assignment, faces: Pack) -> Assignment:
    """Takes out the images that repeat another of the same identity, and the listed pairs that need them.

    A genuine pair of equal pictures has distance 0 in every network: it would be counted as known, and teach
    nothing. These images, and pictures under several identities, are told of in a line each.

    Raises:
        UserError: too little of a part is left.
    """
    first = first_equals(faces.fingerprints)
    noise, repeats = find_label_noise(faces.identities, first), find_repeats(faces.identities, first)
    tell_noise(noise, faces.files)
    tell_repeats(repeats, faces.files)
    if not len(repeats):
        return found
    parts = {part: np.setdiff1d(numbers, repeats[:, 1]) for part, numbers in found.parts.items()}
    _check_left(parts, faces, np.delete(np.arange(len(first)), repeats[:, 1]))
    return drop_outside(found._replace(parts=parts))


def _check_left(parts: dict[str, IntArray], faces: Pack, left: IntArray) -> None:
    """Raises UserError where too little of a part is left to train and to tell rates on."""
    if len(parts["train"]):
        people = {part: np.unique(faces.identities[numbers]) for part, numbers in parts.items()}
        check_parts(people, faces.identities[left])
