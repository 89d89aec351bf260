"""Pictures that show nothing, and those that don't decode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.checks.finding import Finding, Verdict, some
from facenet_lit.errors import shown
from facenet_lit.sources.pack_files import Images

MOST_SEEN = 20_000  # images that are looked at, evenly over all
AT_ONCE = 512
# Levels of 255 by which the pixels of a picture deviate at least, where it shows anything.
FLAT = 2.0


def find_flat(images: Images, most: int = MOST_SEEN) -> tuple[IntArray, int]:
    """Images of one colour: black, white, or nearly so.

    Args:
        images: (N, S, S, 3) uint8.
        most: so many are looked at, evenly over all.

    Returns:
        Their numbers, and how many were looked at.
    """
    seen = np.unique(np.linspace(0, len(images) - 1, min(most, len(images))).astype(np.int64))
    flat = [seen[start : start + AT_ONCE] for start in range(0, len(seen), AT_ONCE)]
    found = [numbers[_deviations(images, numbers) < FLAT] for numbers in flat]
    return np.concatenate([seen[:0], *found]), len(seen)


def check_pictures(flat: IntArray, seen: int, files: Sequence[str], left_out: Mapping[str, str]) -> Finding:
    """Whether pictures show something.

    Args:
        flat: numbers of the images of one colour.
        seen: how many were looked at.
        files: (N,) name of each image.
        left_out: the pictures that did not decode, and why.
    """
    said = f"{len(flat):,} of {seen:,} images looked at are of one colour"
    said += f" ({some([shown(files[number]) for number in flat])})" if len(flat) else ""
    said += f"; {len(left_out):,} pictures did not decode and are left out"
    said += f" ({some([f'{shown(name)}: {why}' for name, why in left_out.items()])})" if left_out else ""
    verdict = Verdict.STOP if 2 * len(flat) > seen else Verdict.LOOK if len(flat) or left_out else Verdict.OK
    advice = "look at these files, and mend them or take them out" if verdict else ""
    return Finding("pictures", verdict, f"{said}.", advice)


def _deviations(images: Images, numbers: IntArray) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """(B,) deviation of each image's values, of each channel by itself, the largest."""
    values = images[numbers].reshape(len(numbers), -1, 3).astype(np.float32)
    deviations: np.ndarray[tuple[int], np.dtype[np.float32]] = values.std(1).max(1)
    return deviations
