"""The leak audit: what must not stand on two sides of a split.

A rate on people the network was trained on says little. So a run is stopped when an identity or a picture
is on two sides, or when a listed pair reaches out of its side; and a checkpoint carries fingerprints of what
it was trained on, so that later evaluations are audited too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError, shown
from facenet_lit.preprocessing import composed, identity_fingerprint

Fingerprints = npt.NDArray[np.uint8]  # (M, 32): SHA-256 digests, one per row

# What to do about a leak: where a split leaks, where it is made to, and where an evaluation does.
MEND_SPLIT = "remove the duplicates or merge the identities"
SPLIT_PEOPLE = "data.split=triplets is for measuring what a leak does; split people (data.split=random)"
CHOOSE_OTHERS = "evaluate on others"

log = logging.getLogger(__name__)


class LeakError(UserError):
    """Something stands on two sides of a split."""


def find_leaks(
    parts: Mapping[str, IntArray],
    identities: IntArray,
    names: Sequence[str],
    files: Sequence[str],
    listed_pairs: Mapping[str, IntArray],
) -> list[str]:
    """Names every leak between the parts of a split that shows without a picture, one line each.

    Args:
        parts: image numbers of each part.
        identities: (N,) identity of each image, an index into ``names``.
        names: name of each identity; they are compared in Unicode's form NFC.
        files: name of each image.
        listed_pairs: for a part, (P, 2) image numbers of the pairs that it is judged by.
    """
    leaks = []
    for first, second in combinations(parts, 2):
        one, other = ({composed(names[i]) for i in identities[parts[p]]} for p in (first, second))
        shared = one & other
        if shared:
            leaks.append(
                f"{len(shared)} identities in both {first} and {second}, {shown(min(shared))} for one"
            )
    for part, pairs in listed_pairs.items():
        outside = ~np.isin(pairs, parts[part]).all(axis=1)
        if outside.any():
            a, b = (shown(files[number]) for number in pairs[outside][0])
            leaks.append(f"{outside.sum()} listed pairs of {part} reach out of it, {a} and {b} for one")
    return leaks


def find_twins(parts: Mapping[str, IntArray], files: Sequence[str], fingerprints: Fingerprints) -> list[str]:
    """Names the pictures that are in two parts of a split under any name, a line for each two parts.

    A line names one; where there are several, all of them are logged.

    Args:
        parts: image numbers of each part.
        files: name of each image.
        fingerprints: (N, 32) digest of each picture.
    """
    leaks = []
    for first, second in combinations(parts, 2):
        one, other = parts[first], parts[second]
        twins = shared_pictures(fingerprints[one], fingerprints[other])
        if len(twins):
            pairs = np.stack([one[twins[:, 0]], other[twins[:, 1]]], axis=1)
            equal, what = named_equals(pairs, files), f"pictures in both {first} and {second}"
            # Where an image itself is on both sides, as by data.split=triplets, so are thousands.
            told = "" if (pairs[:, 0] == pairs[:, 1]).any() else log_all(what, equal, 1)
            leaks.append(f"{len(equal)} {what}, {equal[0]} for one{told}")
    return leaks


def named_equals(pairs: IntArray, files: Sequence[str]) -> list[str]:
    """``a = b`` for each two equal pictures.

    Args:
        pairs: (K, 2) image numbers.
        files: name of each image.
    """
    return [f"{shown(files[a])} = {shown(files[b])}" for a, b in pairs.tolist()]


def log_all(what: str, names: Sequence[str], most: int) -> str:
    """Names all in the log, where a line has place for fewer.

    Args:
        what: what they are.
        names: all of them.
        most: so many have place in a line.

    Returns:
        What the line says of that; nothing where it names them all.
    """
    if len(names) <= most:
        return ""
    log.warning("%s:\n  %s", what, "\n  ".join(names))
    return ", all named in the log"


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


def find_trained_people(trained: Fingerprints, names: Sequence[str]) -> list[str]:
    """Names the identities of an evaluation that a checkpoint was trained on, in a line.

    Args:
        trained: (I, 32) digests that the checkpoint carries.
        names: names of the identities evaluated on.
    """
    found = shared_pictures(identity_fingerprints(names), trained)
    if not len(found):
        return []
    count = f"{len(found)} of {len(names)} identities"
    return [f"the checkpoint was trained on {count}, {shown(names[found[0, 0]])} for one"]


def find_trained_pictures(trained: Fingerprints, files: Sequence[str], pictures: Fingerprints) -> list[str]:
    """Names the pictures of an evaluation that a checkpoint was trained on, in a line.

    Args:
        trained: (M, 32) digests that the checkpoint carries.
        files: (N,) names of the pictures evaluated on.
        pictures: (N, 32) their digests.
    """
    found = shared_pictures(pictures, trained)
    if not len(found):
        return []
    count = f"{len(found)} of {len(files)} pictures"
    return [f"the checkpoint was trained on {count}, {shown(files[found[0, 0]])} for one"]


def refuse(leaks: Sequence[str], allow_leak: bool, advice: str) -> None:
    """Stops at a leak; where leaks are allowed, warns of each.

    Args:
        leaks: a line each.
        allow_leak: ``data.allow_leak``.
        advice: what to do.

    Raises:
        LeakError: there is one, and leaks are not allowed.
    """
    if leaks and not allow_leak:
        raise LeakError(f"leak: {'; '.join(leaks)}; {advice}, or say data.allow_leak=true")
    for leak in leaks:
        log.warning("leak, allowed by data.allow_leak: %s", leak)
