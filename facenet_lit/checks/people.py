"""How many people there are, and how many images of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.checks.finding import Cells, Finding, looked
from facenet_lit.metrics.effective_number import ENOUGH, effective_number

# Of fewer people an embedding learns them rather than faces.
FEW_TO_LEARN_FROM = 100

# Sides of the bars of the histogram: from each to below the next, the last without end.
EDGES = (1, 2, 3, 4, 5, 7, 10, 20, 50, 100)


class Crowd(NamedTuple):
    """The people of a part.

    Attributes:
        identities: how many.
        images: of all of them.
        least: images of an identity.
        median: likewise.
        mean: likewise.
        most: likewise.
        alone: identities with one image.
        effective: effective number of identities, genuine pairs of each weighing; None without a genuine pair.
    """

    identities: int
    images: int
    least: int
    median: float
    mean: float
    most: int
    alone: int
    effective: float | None


def count_people(identities: IntArray) -> Crowd:
    """Counts people and their images.

    Args:
        identities: (N,) identity of each image, N of 1 or more.
    """
    counts = np.unique(identities, return_counts=True)[1]
    pairs = counts.astype(float) * (counts - 1) / 2
    return Crowd(
        identities=len(counts),
        images=len(identities),
        least=int(counts.min()),
        median=float(np.median(counts)),
        mean=float(counts.mean()),
        most=int(counts.max()),
        alone=int((counts == 1).sum()),
        effective=effective_number(pairs) or None,
    )


def images_of_identities(identities: IntArray) -> list[tuple[str, int]]:
    """How many identities have so many images: (``5-6``, 83) and so on, empty ends left out.

    Args:
        identities: (N,) identity of each image.
    """
    counts = np.unique(identities, return_counts=True)[1]
    heights = np.histogram(counts, bins=[*EDGES, np.inf])[0]
    bars = [(_range(k), int(height)) for k, height in enumerate(heights)]
    last = max((k for k, (_, height) in enumerate(bars) if height), default=-1)
    return bars[: last + 1]


def check_people(crowds: Mapping[str, Crowd], judged: Mapping[str, Crowd]) -> Finding:
    """Whether there are people enough to learn from, and to judge by.

    Args:
        crowds: by the name they are shown by; ``train`` is among them.
        judged: the parts that rates are told of.
    """
    advice = []
    if crowds["train"].identities < FEW_TO_LEARN_FROM:
        advice.append(f"train on {FEW_TO_LEARN_FROM} people or more: fewer are learnt by heart")
    few = [part for part, crowd in judged.items() if (crowd.effective or 0) < ENOUGH]
    if few:
        what = " and ".join(few)
        advice.append(
            f"rates over pairs of {what} are about few people: go by the balanced ones, and by their bounds"
        )
    train = crowds["train"]
    alone = f"; the {train.alone:,} with one image are negatives only" if train.alone else ""
    said = (
        f"{train.images:,} images of {train.identities:,} people to train on{alone}. Effective is how many people the "
        "rates over pairs are about: (sum w)² / sum w², w genuine pairs of each."
    )
    return looked("people", said, "; ".join(advice), _table(crowds))


def _table(crowds: Mapping[str, Crowd]) -> list[Cells]:
    heads = ("", "people", "images", "min", "median", "mean", "max", "with one image", "effective")
    return [heads, *((name, *_cells(crowd)) for name, crowd in crowds.items())]


def _cells(crowd: Crowd) -> Cells:
    share = f"{crowd.alone:,} ({crowd.alone / crowd.identities:.0%})"
    effective = "-" if crowd.effective is None else f"{crowd.effective:,.1f}"
    spread = (f"{crowd.least:,}", f"{crowd.median:,g}", f"{crowd.mean:,.1f}", f"{crowd.most:,}")
    return (f"{crowd.identities:,}", f"{crowd.images:,}", *spread, share, effective)


def _range(k: int) -> str:
    if k + 1 == len(EDGES):
        return f"{EDGES[k]}+"
    return str(EDGES[k]) if EDGES[k + 1] == EDGES[k] + 1 else f"{EDGES[k]}-{EDGES[k + 1] - 1}"
