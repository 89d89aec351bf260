"""The leak audit: what must not stand on two sides of a split.

A rate on people the network was trained on says little. So a run is stopped when an identity or a picture
is on two sides, or when a listed pair reaches out of its side; and a checkpoint carries fingerprints of what
it was trained on, so that later evaluations are audited too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError
from facenet_lit.preprocessing import identity_fingerprint

Fingerprints = npt.NDArray[np.uint8]  # (M, 32): SHA-256 digests, one per row

SAY_SO = "evaluate on others, or say data.allow_leak=true"


class LeakError(UserError):
    """Something stands on two sides of a split."""


def find_leaks(
    parts: Mapping[str, IntArray],
    identities: IntArray,
    names: Sequence[str],
    files: Sequence[str],
    fingerprints: Fingerprints,
    listed_pairs: Mapping[str, IntArray],
) -> list[str]:
    """Names every leak between the parts of a split, one line each.

    Args:
        parts: image numbers of each part.
        identities: (N,) identity of each image, an index into ``names``.
        names: name of each identity.
        files: name of each image.
        fingerprints: (N, 32) digest of each picture.
        listed_pairs: for a part, (P, 2) image numbers of the pairs that it is judged by.
    """
    leaks = []
    for first, second in combinations(parts, 2):
        one, other = parts[first], parts[second]
        shared = {names[i] for i in identities[one]} & {names[i] for i in identities[other]}
        if shared:
            leaks.append(f"{len(shared)} identities in both {first} and {second}, {min(shared)} for one")
        twins = shared_pictures(fingerprints[one], fingerprints[other])
        if len(twins):
            a, b = files[one[twins[0, 0]]], files[other[twins[0, 1]]]
            leaks.append(f"{len(twins)} pictures in both {first} and {second}, {a} = {b} for one")
    for part, pairs in listed_pairs.items():
        outside = ~np.isin(pairs, parts[part]).all(axis=1)
        if outside.any():
            a, b = (files[number] for number in pairs[outside][0])
            leaks.append(f"{outside.sum()} listed pairs of {part} reach out of it, {a} and {b} for one")
    return leaks


def shared_pictures(one: Fingerprints, other: Fingerprints) -> IntArray:
    """Positions of equal fingerprints.

    Args:
        one: (M, 32) digests.
        other: (N, 32) digests.

    Returns:
        (K, 2): for each picture of ``one`` that is in ``other``, its position and that of one equal to it.
    """
    place = {row.tobytes(): number for number, row in enumerate(other)}
    found = [(number, place[key]) for number, row in enumerate(one) if (key := row.tobytes()) in place]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def identity_fingerprints(names: Sequence[str]) -> Fingerprints:
    """(I, 32) SHA-256 digests of identities' names."""
    digests = b"".join(identity_fingerprint(name) for name in names)
    return np.frombuffer(digests, dtype=np.uint8).reshape(-1, 32)


def find_trained_on(
    trained_identities: Fingerprints,
    trained_pictures: Fingerprints,
    names: Sequence[str],
    files: Sequence[str],
    pictures: Fingerprints,
) -> list[str]:
    """Names what of an evaluation a checkpoint was trained on, one line each.

    Args:
        trained_identities: (I, 32) digests that the checkpoint carries.
        trained_pictures: (M, 32) digests that the checkpoint carries.
        names: names of the identities evaluated on.
        files: (N,) names of the pictures evaluated on.
        pictures: (N, 32) their digests.
    """
    leaks = []
    people = shared_pictures(identity_fingerprints(names), trained_identities)
    if len(people):
        leaks.append(
            f"the checkpoint was trained on {len(people)} of {len(names)} identities, {names[people[0, 0]]} for one"
        )
    images = shared_pictures(pictures, trained_pictures)
    if len(images):
        leaks.append(
            f"the checkpoint was trained on {len(images)} of {len(files)} pictures, {files[images[0, 0]]} for one"
        )
    return leaks


def refuse(leaks: Sequence[str], allow_leak: bool) -> None:
    """Stops at a leak, unless leaks are allowed.

    Raises:
        LeakError: there is one.
    """
    if leaks and not allow_leak:
        raise LeakError(f"leak: {'; '.join(leaks)}; {SAY_SO}")
