"""Bounds of a rate that hold its true value in 95 of 100 samples of people.

From replicates of a bootstrap over identities by BCa (Efron 1987): percentiles, shifted by what the replicates lie off
the rate in the median, and by how the rate's spread changes with it, which leaving out groups of identities tells. As
replicates spread a little less than samples do, and the spread itself is estimated, the percentiles are those of
Student's t, widened by sqrt(n / (n - 1)) for n effective identities (Hesterberg 2015, section 5.3).

A bootstrap knows nothing of what never occurred, and little of few people. So a rate of 0 or 1, and one on fewer than
30 effective identities, has the bounds of Clopper and Pearson (1934) for a share of so many independent trials: the
way of Korn and Graubard (1998) for shares in samples of clusters. At a rate of 0 of n that is at most 3.7 / n.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, ndtr, ndtri, stdtrit

from facenet_lit.metrics.effective_number import ENOUGH, effective_number

LEVEL = 0.95
PAIRED = (1 + LEVEL) / 2  # of each of two intervals, so that both hold at LEVEL
LEAST_APART = 10  # groups of identities that two runs differ on, of which its difference of rates is believed

_FURTHEST = 1e-3  # shares beyond which the shift is no longer told from few replicates

TAILS = np.array([-1.0, 1.0])

Floats = npt.NDArray[np.float64]


class Bounds(NamedTuple):
    """The bounds of a rate, or of a difference of two.

    Attributes:
        low: the lower one.
        high: the upper one.
        counted: they are the fallback's: of so many trials, not of replicates.
    """

    low: float
    high: float
    counted: bool


class Resampled(NamedTuple):
    """A rate of other samples.

    Attributes:
        drawn: (R,) that of each replicate; NaN where it has none.
        left_out: (B,) that without each group of identities; NaN likewise.
        effective: on how many effective identities it is.
        trials: for how many independent trials these stand: pairs of one identity, or of two.
    """

    drawn: Floats
    left_out: Floats
    effective: float
    trials: float


def bounds_of(rate: float, resampled: Resampled) -> Bounds:
    """Bounds of a rate from 0 to 1 of the pairs as they are."""
    drawn = resampled.drawn[np.isfinite(resampled.drawn)]
    if rate in (0.0, 1.0) or needs_fallback(resampled.effective, drawn):
        return Bounds(*clopper_pearson(rate, resampled.trials), True)
    left_out = resampled.left_out[np.isfinite(resampled.left_out)]
    return _between_quantiles(rate, drawn, bca_levels(rate, drawn, left_out, resampled.effective))


def difference_of(one: tuple[float, Resampled], other: tuple[float, Resampled]) -> Bounds:
    """Bounds of a rate less another of the same people, both resampled by the same draws.

    The fallback is what the bounds of both, each wider, leave: it takes nothing of what they have in common. It is
    taken as well where the runs differ on few people: a bootstrap of a handful of them knows no others. Quantiles are
    those of equal tails: a difference is nearly symmetric, and correcting for its skew left 0 out too often where the
    runs are equal (experiments/bounds_coverage/table.md).
    """
    (rate, ours), (other_rate, theirs) = one, other
    differences = ours.drawn - theirs.drawn
    drawn, effective = differences[np.isfinite(differences)], min(ours.effective, theirs.effective)
    left_out = ours.left_out - theirs.left_out
    if _contributing(left_out) < LEAST_APART or needs_fallback(effective, drawn):
        low, high = clopper_pearson(rate, ours.trials, PAIRED)
        other_low, other_high = clopper_pearson(other_rate, theirs.trials, PAIRED)
        return Bounds(low - other_high, high - other_low, True)
    return _between_quantiles(rate - other_rate, drawn, ndtr(_widened(effective) * TAILS))


def _contributing(left_out: Floats) -> float:
    """How many groups of identities a value is about, of what it is without each (B,); infinity where B is 0."""
    known = left_out[np.isfinite(left_out)]
    if not len(known):
        return math.inf
    return effective_number(np.abs(known - np.median(known)))


def needs_fallback(effective: float, drawn: Floats) -> bool:
    """Whether a bootstrap of so many effective identities, with these finite replicates, tells too little."""
    return effective < ENOUGH or not len(drawn) or bool(drawn.min() == drawn.max())


def _between_quantiles(value: float, drawn: Floats, levels: Floats) -> Bounds:
    low, high = np.quantile(drawn, levels)
    return Bounds(float(min(low, value)), float(max(high, value)), False)


def bca_levels(rate: float, replicates: Floats, left_out: Floats, effective: float) -> Floats:
    """(2,) levels of the replicates' quantiles that are the bounds (Efron 1987, section 3).

    Args:
        rate: of the pairs as they are.
        replicates: (R,) finite.
        left_out: (B,) finite, without each of B groups of about equal size.
        effective: identities, more than 1.
    """
    below = (np.mean(replicates < rate) + np.mean(replicates <= rate)) / 2
    shift = ndtri(np.clip(below, _FURTHEST, 1 - _FURTHEST))
    influence = left_out.mean() - left_out if len(left_out) else np.zeros(1)
    spread = float(np.sum(influence**2))
    acceleration = float(np.sum(influence**3)) / (6 * spread**1.5) if spread > 0 else 0.0
    moved = shift + _widened(effective) * TAILS
    levels: Floats = ndtr(shift + moved / (1 - acceleration * moved))
    return levels


def _widened(effective: float) -> float:
    """How many deviations a bound is away: Student's t, as identities are few (Hesterberg 2015, section 5.3)."""
    quantile: float = stdtrit(effective - 1, (1 + LEVEL) / 2)
    return quantile * math.sqrt(effective / (effective - 1))


def clopper_pearson(rate: float, trials: float, level: float = LEVEL) -> tuple[float, float]:
    """Bounds of a share of independent trials, which need not be whole numbers (Korn and Graubard 1998).

    Args:
        rate: the share, 0 to 1.
        trials: how many, above 0.
        level: how often the bounds hold the truth, at least.
    """
    hits = rate * trials
    low = 0.0 if rate <= 0 else float(betaincinv(hits, trials - hits + 1, (1 - level) / 2))
    high = 1.0 if rate >= 1 else float(betaincinv(hits + 1, trials - hits, (1 + level) / 2))
    return low, high
