"""Which identities are trained on, which choose the checkpoint, and which the result is told on.

Splits are made of identities, never of images or triplets: a person is on one side only. The one exception is
there to measure what it costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.data.triplets import draw_triplets
from facenet_lit.errors import UserError, check_integer

T = TypeVar("T")

PARTS = ("train", "val", "test")

VAL_SHARE = 0.1
TEST_SHARE = 0.1
FOLDS = 10  # of LFW's view 2


def random_split(identities: IntArray, seed: int) -> dict[str, IntArray]:
    """Splits the identities 80/10/10% at random.

    Args:
        identities: (N,) identity of each image.
        seed: ``data.split_seed``.

    Returns:
        The identities of ``train``, ``val`` and ``test``, each ascending.

    Raises:
        UserError: a side has fewer than two identities with two images.
    """
    everyone = np.unique(identities)
    order = np.random.default_rng(seed).permutation(everyone)
    val_end = round(len(everyone) * VAL_SHARE)
    test_end = val_end + round(len(everyone) * TEST_SHARE)
    parts = {"train": order[test_end:], "val": order[:val_end], "test": order[val_end:test_end]}
    return check_parts({part: np.sort(chosen) for part, chosen in parts.items()}, identities)


def view1_split(
    identities: IntArray, names: Sequence[str], train: Sequence[str], test: Sequence[str], seed: int
) -> dict[str, IntArray]:
    """LFW's development split (Huang et al. 2007, section 3, "View 1"), with a validation part of our own.

    Args:
        identities: (N,) identity of each image, an index into ``names``.
        names: name of each identity.
        train: names in peopleDevTrain; a tenth of them, drawn with ``seed``, becomes ``val``.
        test: names in peopleDevTest.
        seed: ``data.split_seed``.

    Returns:
        The identities of ``train``, ``val`` and ``test``, each ascending.

    Raises:
        UserError: a listed person has no image, or a side is too small.
    """
    development, tested = _listed_identities("view1", [train, test], identities, names)
    order = np.random.default_rng(seed).permutation(development)
    val_end = round(len(order) * VAL_SHARE)
    parts = {"train": np.sort(order[val_end:]), "val": np.sort(order[:val_end]), "test": tested}
    return check_parts(parts, identities)


def view2_split(
    identities: IntArray, names: Sequence[str], folds: Sequence[Sequence[str]], fold: int
) -> dict[str, IntArray]:
    """One of the ten splits of LFW's view 2 (Huang et al. 2007, section 3, "View 2").

    Args:
        identities: (N,) identity of each image, an index into ``names``.
        names: name of each identity.
        folds: names in each fold of people.txt.
        fold: the fold that is ``test``, 1 to 10; the next one (1 after 10) is ``val``, the other eight ``train``.

    Returns:
        The identities of ``train``, ``val`` and ``test``, each ascending.

    Raises:
        UserError: there are not ten folds, a listed person has no image, or a side is too small.
    """
    listed = _listed_identities("view2", check_folds("people.txt", folds), identities, names)
    tested, chosen_by = fold - 1, val_fold(fold) - 1
    others = [people for place, people in enumerate(listed) if place not in (tested, chosen_by)]
    parts = {"train": np.sort(np.concatenate(others)), "val": listed[chosen_by], "test": listed[tested]}
    return check_parts(parts, identities)


def val_fold(fold: int) -> int:
    """The fold, 1 to 10, that threshold and checkpoint are chosen on where ``fold`` is ``test``."""
    return fold % FOLDS + 1


def check_fold(split: str, fold: object) -> int | None:
    """Returns ``data.fold``, if it goes with ``data.split``.

    Raises:
        UserError: view 2 lacks it, another split has it, or it is no fold.
    """
    if split == "view2" and fold is None:
        raise UserError(
            "data.fold: not given; data.split=view2 tests on one of ten folds; say data.fold=1, or to 10"
        )
    if split == "view2":
        return check_integer("data.fold", fold, 1, FOLDS)
    if fold is not None:
        raise UserError(
            f"data.fold={fold}: data.split={split} has no folds; say data.split=view2, or leave it out"
        )
    return None


def check_folds(file: str, folds: Sequence[Sequence[T]]) -> Sequence[Sequence[T]]:
    """Returns what a list of view 2 holds, if that is ten folds.

    Raises:
        UserError: it is not.
    """
    if len(folds) != FOLDS:
        raise UserError(
            f"{file}: {len(folds)} folds; expected the ten of LFW's view 2; get the official list"
        )
    return folds


def _listed_identities(
    split: str, lists: Sequence[Sequence[str]], identities: IntArray, names: Sequence[str]
) -> list[IntArray]:
    """The identities of each list of names, ascending; refused where one has no image."""
    index = {name: number for number, name in enumerate(names)}
    present = set(np.unique(identities).tolist())
    absent = [name for listed in lists for name in listed if index.get(name) not in present]
    if absent:
        raise UserError(
            f"data.split={split}: {len(absent)} listed people have no image, {absent[0]} for one; "
            "expected the whole of LFW; get the archive again, or use data.split=random"
        )
    return [np.sort(np.array([index[name] for name in listed], dtype=np.int64)) for listed in lists]


def triplet_split(identities: IntArray, seed: int) -> dict[str, IntArray]:
    """The historical split, which leaks: the drawn triplets of the whole set are shuffled and cut 80/10/10%.

    Nearly everyone with several images is then on every side, and many images too. It is here to measure how much
    of a rate was leak. It differs from the history in that a part is the images of its triplets: training draws
    new triplets from its own at every epoch, and rates are over all pairs of a part's images.

    Args:
        identities: (N,) identity of each image.
        seed: ``data.split_seed``.

    Returns:
        The image numbers of ``train``, ``val`` and ``test``, each ascending, not disjoint.

    Raises:
        UserError: there are too few triplets for three parts.
    """
    drawn = draw_triplets(identities, "positive", "identity", seed, 0)  # shuffled
    val_end = round(len(drawn) * VAL_SHARE)
    test_end = val_end + round(len(drawn) * TEST_SHARE)
    if not 0 < val_end < test_end < len(drawn):
        raise UserError(
            f"data.split=triplets: {len(drawn)} triplets can be drawn; expected ten or more; give more images"
        )
    parts = {"train": drawn[test_end:], "val": drawn[:val_end], "test": drawn[val_end:test_end]}
    return {part: np.unique(triplets) for part, triplets in parts.items()}


def images_of(identities: IntArray, chosen: IntArray) -> IntArray:
    """Numbers of the images of the chosen identities, ascending.

    Args:
        identities: (N,) identity of each image.
        chosen: identities.
    """
    return np.flatnonzero(np.isin(identities, chosen)).astype(np.int64)


def check_parts(parts: Mapping[str, IntArray], identities: IntArray) -> dict[str, IntArray]:
    """Returns the parts, if rates can be told on each.

    Args:
        parts: identities of each part.
        identities: (N,) identity of each image.

    Raises:
        UserError: a part has fewer than two identities with two images.
    """
    people, counts = np.unique(identities, return_counts=True)
    several = people[counts >= 2]
    for part, chosen in parts.items():
        found = np.isin(chosen, several).sum()
        if found < 2:
            raise UserError(
                f"data.split: {part} has {len(chosen)} of {len(people)} identities, {found} of them with two "
                "or more images; expected at least two such on each side; add identities, or try another "
                "data.split_seed"
            )
    return dict(parts)
