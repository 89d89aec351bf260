"""The bounds of figures, under the figures' names and ``_low`` and ``_high``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy.typing as npt

from facenet_lit.batch import Rows
from facenet_lit.metrics.bootstrap_intervals import Bounds, Resampled, bounds_of
from facenet_lit.metrics.bootstrap_table import HELD, PairTable
from facenet_lit.metrics.effective_number import ENOUGH
from facenet_lit.metrics.figures import BALANCED
from facenet_lit.metrics.resampling import ACCURACY, resample, resample_accuracy

ENDS = LOW, HIGH = "_low", "_high"


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
    bounds = bounds_by_name(told, resampled)
    return Bounded(by_ends(bounds), fallback_lines(bounds, resampled))


def bounds_by_name(told: Mapping[str, float | None], resampled: Mapping[str, Resampled]) -> dict[str, Bounds]:
    """The bounds of each figure that is known and resampled."""
    known = {name: rate for name in resampled if (rate := told.get(name)) is not None}
    return {name: bounds_of(rate, resampled[name]) for name, rate in known.items()}


def by_ends(bounds: Mapping[str, Bounds]) -> dict[str, float]:
    """Bounds as figures, by the names that end in ``_low`` and ``_high``."""
    return {
        name + end: value
        for name, found in bounds.items()
        for end, value in zip(ENDS, found[:2], strict=True)
    }


def fallback_lines(bounds: Mapping[str, Bounds], resampled: Mapping[str, Resampled]) -> list[str]:
    """What is said of figures whose bounds are not the bootstrap's: a line, or none."""
    by_trials: dict[float, list[str]] = {}
    for name, found in bounds.items():
        if found.counted:
            by_trials.setdefault(resampled[name].trials, []).append(name)
    if not by_trials:
        return []
    told = "; ".join(f"{', '.join(names)} ({trials:.3g} trials)" for trials, names in by_trials.items())
    counted = {name for names in by_trials.values() for name in names}
    others = any(name + BALANCED in bounds and name + BALANCED not in counted for name in counted)
    return [
        f"bounds of {told}: Clopper-Pearson, as fewer than {ENOUGH} effective identities or a rate of 0 or 1 do not "
        f"carry a bootstrap; they are wide{f': read the {BALANCED} figures' if others else ''}"
    ]


def beside(told: Mapping[str, float | None], bounds: Mapping[str, float]) -> dict[str, float | None]:
    """Figures, each followed by its bounds where it has them."""
    both = {**told, **bounds}
    return {name + end: both[name + end] for name in told for end in ("", *ENDS) if name + end in both}


def with_bounds(figures: Mapping[str, Any], name: str, form: str = ".3f", ends: str = ".3f") -> str:
    """A figure as people read it: ``0.831 [0.812, 0.849]``, without brackets where it has no bounds, ``-`` for None."""
    rate, low, high = (figures.get(name + end) for end in ("", *ENDS))
    text = "-" if rate is None else f"{rate:{form}}"
    return text if low is None or high is None else f"{text} [{low:{ends}}, {high:{ends}}]"


def without_bounds(name: str) -> str:
    """The figure whose bound a name is of; the name itself where it is none."""
    return name.removesuffix(LOW).removesuffix(HIGH)
