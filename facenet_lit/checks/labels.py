"""Equal pictures: under two names, which is label noise, and twice under one."""

from __future__ import annotations

from collections.abc import Sequence

from facenet_lit.batch import IntArray
from facenet_lit.checks.finding import Finding, looked, some
from facenet_lit.data.audit import Fingerprints, named_equals
from facenet_lit.data.equal_pictures import find_label_noise, find_repeats, first_equals


def check_labels(identities: IntArray, files: Sequence[str], fingerprints: Fingerprints) -> Finding:
    """Whether equal pictures stand under two names.

    Args:
        identities: (N,) identity of each image.
        files: (N,) name of each image.
        fingerprints: (N, 32) digest of each picture.
    """
    first = first_equals(fingerprints)
    noise, repeats = find_label_noise(identities, first), find_repeats(identities, first)
    said = f"{_counted(len(noise), 'picture is', 'pictures are')} under more than one person".capitalize()
    said += f" ({some(named_equals(noise, files))})" if len(noise) else ""
    said += f"; {_counted(len(repeats), 'image repeats', 'images repeat')} another of the same person"
    said += f" and is left out ({some(named_equals(repeats, files))})" if len(repeats) else ""
    advice = "keep each picture under the person it shows, or take it out" if len(noise) else ""
    return looked("labels", f"{said}.", advice)


def _counted(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}" if count else f"no {one}"
