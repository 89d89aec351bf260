"""Which identities are trained on, which choose the checkpoint, and which the result is told on.

Splits are made of identities, never of images or triplets: a person is on one side only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError

PARTS = ("train", "val", "test")

VAL_SHARE = 0.1
TEST_SHARE = 0.1


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
    index = {name: number for number, name in enumerate(names)}
    present = set(np.unique(identities).tolist())
    absent = [name for name in (*train, *test) if index.get(name) not in present]
    if absent:
        raise UserError(
            f"data.split=view1: {len(absent)} listed people have no image, {absent[0]} for one; "
            "expected the whole of LFW; get the archive again, or use data.split=random"
        )
    development = np.array([index[name] for name in train], dtype=np.int64)
    order = np.random.default_rng(seed).permutation(np.sort(development))
    val_end = round(len(order) * VAL_SHARE)
    parts = {
        "train": np.sort(order[val_end:]),
        "val": np.sort(order[:val_end]),
        "test": np.sort(np.array([index[name] for name in test], dtype=np.int64)),
    }
    return check_parts(parts, identities)


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
