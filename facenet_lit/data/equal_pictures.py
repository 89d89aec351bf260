"""Equal pictures of one source: under two identities, which is label noise, and twice under one.

What is equal across the sides of a split is a leak, and ``audit`` stops it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.data.audit import Fingerprints
from facenet_lit.errors import shown

_NAMED = 3  # so many examples in a line


def first_equals(fingerprints: Fingerprints) -> IntArray:
    """(N,) number of the first picture that is equal to each: its own where there is none before it.

    Args:
        fingerprints: (N, 32) digest of each picture.
    """
    # As texts of fixed length the digests can be sorted; those of equal length are equal as their bytes are.
    digests = np.ascontiguousarray(fingerprints).view("S32").ravel()
    _, first, which = np.unique(digests, return_index=True, return_inverse=True)
    return first[which].astype(np.int64)


def find_label_noise(identities: IntArray, first: IntArray) -> IntArray:
    """Pictures that stand under several identities.

    Args:
        identities: (N,) identity of each image.
        first: (N,) number of the first picture equal to each.

    Returns:
        (K, 2): for each such picture its first image, and the first equal one of another identity.
    """
    others = np.flatnonzero(identities != identities[first])
    _, places = np.unique(first[others], return_index=True)
    return np.stack([first[others[places]], others[places]], axis=1)


def find_repeats(identities: IntArray, first: IntArray) -> IntArray:
    """Images that repeat one of their own identity.

    Args:
        identities: (N,) identity of each image.
        first: (N,) number of the first picture equal to each.

    Returns:
        (K, 2): the first such image of the identity, and each further one, ascending.
    """
    both = first * (int(identities.max(initial=0)) + 1) + identities
    _, places, which = np.unique(both, return_index=True, return_inverse=True)
    own = places[which]
    further = np.flatnonzero(own != np.arange(len(own)))
    return np.stack([own[further], further], axis=1)


def noise_line(noise: IntArray, files: Sequence[str]) -> str:
    """What is said of pictures under several identities."""
    return (
        f"label noise: {len(noise)} pictures are under more than one identity, {_examples(noise, files)}; "
        "they are used under each; keep each under the person it shows"
    )


def repeats_line(repeats: IntArray, files: Sequence[str]) -> str:
    """What is said of images that repeat one of their own identity."""
    return (
        f"duplicates: {len(repeats)} images repeat another of the same identity, {_examples(repeats, files)}; "
        "they are left out, as two equal pictures are no genuine pair"
    )


def _examples(pairs: IntArray, files: Sequence[str]) -> str:
    named = [" = ".join(shown(files[number]) for number in pair) for pair in pairs[:_NAMED].tolist()]
    return ", ".join(named) + (", ..." if len(pairs) > _NAMED else "")
