"""Every rate with bounds, resampled: by replicates of the identities, and with groups of them left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from facenet_lit.batch import IntArray
from facenet_lit.metrics.bootstrap_counts import Counts, Replicates
from facenet_lit.metrics.bootstrap_draws import draw_counts
from facenet_lit.metrics.bootstrap_intervals import Floats, Resampled
from facenet_lit.metrics.bootstrap_rates import replicate_accuracies, replicate_rates, steps_of
from facenet_lit.metrics.bootstrap_table import PairTable
from facenet_lit.metrics.effective_number import effective_number
from facenet_lit.metrics.figures import BALANCED

ACCURACY = "accuracy"
GROUPS = 100  # of identities, that are left out one after the other


def resample(
    table: PairTable, replicates: int, threshold: float, fars: Sequence[float]
) -> dict[str, Resampled]:
    """TAR, FAR, TAR@FAR and EER, resampled, by the names of their figures.

    Two tables of the same identities get the same draws.

    Args:
        table: the pairs, of both kinds.
        replicates: R.
        threshold: distance at which TAR and FAR are given.
        fars: FARs at which TAR is given.
    """
    weighed = _resampling(table, replicates)
    rates = replicate_rates(weighed, threshold, fars)
    rates["far"] = evened_far(table, weighed.counts, rates["far"], threshold, replicates)
    return _resampled(table, replicates, rates)


def resample_accuracy(table: PairTable, replicates: int, threshold: float) -> Resampled:
    """The accuracy of a table's pairs at a threshold, resampled as :func:`resample` does the rates."""
    weighed = _resampling(table, replicates)
    accuracies = replicate_accuracies(weighed, threshold)
    rates = {ACCURACY: evened_accuracy(table, weighed.counts, accuracies, threshold, replicates)}
    return _resampled(table, replicates, rates)[ACCURACY]


def _resampling(table: PairTable, replicates: int) -> Replicates:
    """Replicates drawn at random, then one without each group."""
    counts = draw_counts(table.identities, replicates)
    left = _without_groups(table.identities).astype(counts.dtype)
    return Replicates(table, np.concatenate([counts, left], axis=1))


def _resampled(table: PairTable, replicates: int, rates: dict[str, Floats]) -> dict[str, Resampled]:
    people = _Effective(table)
    return {
        name: Resampled(values[:replicates], values[replicates:], *people.of(name))
        for name, values in rates.items()
    }


def _without_groups(identities: int) -> npt.NDArray[np.bool_]:
    """(I, B) every identity but those of a group."""
    groups = min(identities, GROUPS)
    others: npt.NDArray[np.bool_] = np.arange(identities)[:, None] % groups != np.arange(groups)
    return others


def evened_far(table: PairTable, counts: Counts, fars: Floats, threshold: float, replicates: int) -> Floats:
    """(C,) the FARs (C,) of the counts (I, C), of which so many are drawn, at a threshold; see :func:`evened`."""
    nearer = int(table.below(steps_of(threshold)))
    return evened(
        fars,
        counts,
        table.impostors_of(nearer),
        table.impostors_of(len(table)),
        nearer / len(table),
        len(table),
        replicates,
    )


def evened_accuracy(
    table: PairTable, counts: Counts, accuracies: Floats, threshold: float, replicates: int
) -> Floats:
    """(C,) the accuracies (C,) of the counts (I, C), of which so many are drawn; see :func:`evened`."""
    cut = steps_of(threshold)
    nearer, accepted = int(table.below(cut)), int(table.genuine_below(cut))
    whole, pairs = table.impostors_of(len(table)), len(table) + len(table.genuine_of)
    genuine = [
        np.bincount(of, minlength=table.identities) for of in (table.genuine_of[:accepted], table.genuine_of)
    ]
    right = genuine[0] + whole - table.impostors_of(nearer)
    share = (accepted + len(table) - nearer) / pairs
    return evened(accuracies, counts, right, genuine[1] + whole, share, pairs, replicates)


def evened(
    rates: Floats,
    counts: Counts,
    right_of: IntArray,
    whole_of: IntArray,
    rate: float,
    pairs: int,
    replicates: int,
) -> Floats:
    """Rates over impostor pairs at a fixed threshold, drawn in to the spread that samples of people have.

    That two identities are both drawn once more counts what is peculiar to their pairs three times in the variance
    (Owen 2007, The pigeonhole bootstrap, section 3): twice within the part L that is linear in the counts, once in the
    rest Q. So the variance is var L - var Q, not their sum; at least half of var L, as that is what is twice in it.

    Args:
        rates: (C,) of the replicates, then those without each group of identities.
        counts: (I, C) of the same.
        right_of: (I,) pairs of each identity that the rate counts.
        whole_of: (I,) all of its pairs.
        rate: of the pairs as they are.
        pairs: how many these are.
        replicates: R, of the first columns: what is left out on purpose is no draw, and has no part in the variances.

    Returns:
        (C,).
    """
    linear = ((right_of - rate * whole_of) / pairs) @ (counts.astype(np.float64) - 1)
    spread, rest = np.var(linear[:replicates]), np.nanvar((rates - rate - linear)[:replicates])
    if spread == 0:
        return rates
    drawn_in: Floats = np.clip(rate + linear * np.sqrt(max(1 - rest / spread, 0.5)), 0, 1)
    return drawn_in


class _Effective:
    """How many effective identities, and independent trials, the rates of a table are on."""

    def __init__(self, table: PairTable) -> None:
        genuine = np.bincount(table.genuine_of, minlength=table.identities)
        impostor = table.impostors_of(len(table))
        others = effective_number(impostor)
        # Of so many identities half as many pairs of two can be made that have none in common.
        self._far = others, max(min(others / 2, len(table)), 1.0)
        pairs = len(table) + len(table.genuine_of)
        either = min(effective_number(genuine + impostor / 2), pairs)
        self._accuracy = either, either
        self._genuine = {False: effective_number(genuine), True: float(np.count_nonzero(genuine))}
        self._others = others

    def of(self, name: str) -> tuple[float, float]:
        """Effective identities and trials of a figure."""
        if name == "far":
            return self._far
        if name == ACCURACY:
            return self._accuracy
        genuine = self._genuine[name.endswith(BALANCED)]
        if name not in ("tar", "tar" + BALANCED):  # the threshold is the impostor pairs' as well
            genuine = min(genuine, self._others)
        return genuine, genuine
