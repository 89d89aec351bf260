"""Equal pictures of one source: under two identities, which is label noise, and twice under one.

What is equal across the sides of a split is a leak, and ``audit`` stops it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.data.audit import Fingerprints, log_all, named_equals

_NAMED = 3  # so many examples in a line

log = logging.getLogger(__name__)


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


def tell_noise(noise: IntArray, files: Sequence[str]) -> None:
    """Warns of pictures under several identities: in a line, after a list of all where the line has no place."""
    if len(noise):
        log.warning(
            "label noise: %d pictures are under more than one identity, %s; they are used under each; keep each "
            "under the person it shows",
            *(len(noise), _examples("label noise", noise, files)),
        )


def tell_repeats(repeats: IntArray, files: Sequence[str]) -> None:
    """Warns of images that repeat one of their own identity, likewise."""
    if len(repeats):
        log.warning(
            "duplicates: %d images repeat another of the same identity, %s; they are left out, as two equal "
            "pictures are no genuine pair",
            *(len(repeats), _examples("duplicates", repeats, files)),
        )


def _examples(kind: str, pairs: IntArray, files: Sequence[str]) -> str:
    equal = named_equals(pairs, files)
    return ", ".join(equal[:_NAMED]) + log_all(kind, equal, _NAMED)
