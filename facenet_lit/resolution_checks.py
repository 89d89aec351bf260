"""Whether the parts have impostor pairs enough for the FARs that TAR is told at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError
from facenet_lit.metrics.figures import BALANCED, tar_at_far_name
from facenet_lit.metrics.resolution import resolution

# How a FAR shows on too few impostor pairs, and what is said of it.
WARNED_OF = {"unresolvable": "leaves out", "coarse": "coarse"}


def check_resolution(
    impostors: Mapping[str, int], fars: Sequence[float], asked: bool, monitor: str = ""
) -> str | None:
    """Finds the FARs that a part has too few impostor pairs for.

    Args:
        impostors: number of impostor pairs of each part that is scored.
        fars: FARs at which TAR is told.
        asked: the user named these FARs on the command line.
        monitor: the figure that checkpoints go by.

    Returns:
        One line to warn by, None where there is nothing to warn of.

    Raises:
        UserError: such a figure is the monitor, or was asked for by name.
    """
    told = []
    for part, count in impostors.items():
        states = {state: [f for f in fars if resolution(f, count) == state] for state in WARNED_OF}
        missing = [tar_at_far_name(far) for far in states["unresolvable"]]
        hidden = f"{part}/" in monitor and monitor.split("/")[1].removesuffix(BALANCED) in missing
        if hidden or (asked and missing):
            what = f"monitor={monitor}" if hidden else f"metrics.fars={list(fars)}"
            raise UserError(
                f"{what}: {part} has {count} impostor pairs, too few for {', '.join(missing)}; "
                "use more images or a larger FAR"
            )
        lines = [
            f"{WARNED_OF[state]} {', '.join(map(tar_at_far_name, f))}" for state, f in states.items() if f
        ]
        told += [f"{part} has {count}: {'; '.join(lines)}"] if lines else []
    if not told:
        return None
    return f"few impostor pairs: {'. '.join(told)}. Use more images or larger FARs in metrics.fars"


def fars_asked_for(overrides: Iterable[str]) -> bool:
    """Whether the user named the FARs on the command line."""
    return any(text.lstrip("+").split("=")[0] == "metrics.fars" for text in overrides)


def count_impostor_pairs(identities: IntArray) -> int:
    """Number of unordered pairs of images of two identities.

    Args:
        identities: (N,) identity of each image.
    """
    counts = np.unique(identities, return_counts=True)[1]
    images = int(counts.sum())
    return images * (images - 1) // 2 - int((counts * (counts - 1) // 2).sum())
