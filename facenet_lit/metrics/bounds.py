"""The bounds of figures, under the figures' names and ``_low`` and ``_high``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy.typing as npt

from facenet_lit.batch import Rows
from facenet_lit.metrics.bootstrap_intervals import Resampled, bounds_of
from facenet_lit.metrics.bootstrap_table import HELD, PairTable
from facenet_lit.metrics.effective_number import ENOUGH
from facenet_lit.metrics.resampling import ACCURACY, resample, resample_accuracy

LOW, HIGH = "_low", "_high"


class Bounded(NamedTuple):
    """Bounds of figures.

    Attributes:
        figures: by name; empty where there are none.
        warnings: a line for each thing to know of them.
    """

    figures: dict[str, float]
    warnings: list[str]


def bounded(
    told: Mapping[str, float | None],
    rows: Rows,
    replicates: int,
    threshold: float,
    fars: Sequence[float],
    listed: npt.ArrayLike | None = None,
    judged_at: float | None = None,
) -> Bounded:
    """The 95% bounds of those of the figures that are rates of pairs.

    Args:
        told: figures by name, without the part in front.
        rows: (N, D) embeddings that they are of, as :func:`facenet_lit.metrics.pair_scoring.unique_rows` gives them.
        replicates: of the bootstrap over identities; 0 for no bounds.
        threshold: distance at which TAR and FAR are given.
        fars: FARs at which TAR is given.
        listed: (P, 2) image numbers of the pairs that they are of, None for all pairs.
        judged_at: the threshold of the accuracy, None for none.
    """
    if not replicates:
        return Bounded({}, [])
    count = len(rows.numbers)
    if listed is None and count * (count - 1) // 2 > HELD:
        line = f"{count:,} images have more than {HELD:,} pairs, which are too many to be drawn anew"
        return Bounded({}, [f"no bounds: {line}; metrics.bounds=0 says no more of it"])
    table = PairTable.of_all(rows) if listed is None else PairTable.of_list(rows, listed)
    if not len(table) or not len(table.genuine_of):
        return Bounded({}, [])
    alone = set(told) == {ACCURACY}
    resampled = {} if alone else resample(table, replicates, threshold, fars)
    if told.get(ACCURACY) is not None and judged_at is not None:
        resampled[ACCURACY] = resample_accuracy(table, replicates, judged_at)
    figures: dict[str, float] = {}
    counted: dict[str, Resampled] = {}
    for name, values in resampled.items():
        rate = told.get(name)
        if rate is not None:
            low, high, fallback = bounds_of(rate, values)
            figures |= {name + LOW: low, name + HIGH: high}
            counted |= {name: values} if fallback else {}
    return Bounded(figures, fallback_lines(counted))


def fallback_lines(counted: Mapping[str, Resampled]) -> list[str]:
    """What is said of figures whose bounds are not the bootstrap's: a line, or none."""
    if not counted:
        return []
    by_trials: dict[float, list[str]] = {}
    for name, values in counted.items():
        by_trials.setdefault(values.trials, []).append(name)
    told = [f"{', '.join(names)} ({trials:.3g})" for trials, names in by_trials.items()]
    return [
        f"few people, or rates of 0 or 1: not by bootstrap, but by Clopper and Pearson for so many independent trials "
        f"are the bounds of {'; '.join(told)}. Use {ENOUGH} effective identities or more"
    ]


def beside(told: Mapping[str, float | None], bounds: Mapping[str, float]) -> dict[str, float | None]:
    """Figures, each followed by its bounds where it has them."""
    ends = ("", LOW, HIGH)
    return {
        name + end: {**told, **bounds}[name + end]
        for name in told
        for end in ends
        if not end or name + end in bounds
    }


def without_bounds(name: str) -> str:
    """The figure whose bound a name is of; the name itself where it is none."""
    return name.removesuffix(LOW).removesuffix(HIGH)
