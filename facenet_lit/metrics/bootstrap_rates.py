"""Verification rates of every replicate of a bootstrap over identities, each at its own threshold if one is sought."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from facenet_lit.metrics.bootstrap_counts import Replicates, Weights
from facenet_lit.metrics.bootstrap_search import Enclosing, Search, enclose
from facenet_lit.metrics.exact_distances import FARTHEST, STEP
from facenet_lit.metrics.figures import BALANCED, tar_at_far_name
from facenet_lit.metrics.resolution import exact_far

PAIRS, EVEN = 1, 2  # rows of genuine weights: over pairs, and balanced
ENDINGS = {PAIRS: "", EVEN: BALANCED}
_ROUNDING = 1e-12  # sums of balanced weights are off by less; counts of pairs are whole


class AtFar(Search):
    """Where more than a FAR of the impostor pairs is accepted.

    Args:
        f: the FAR, the decimal number it is written as.
    """

    def __init__(self, f: float) -> None:
        self.f = exact_far(f)

    def excess(self, accepted: Weights, totals: Weights) -> Weights:
        """See :class:`Search`."""
        most = np.maximum(totals[0], 1)  # a replicate may lack impostor pairs
        excess: Weights = (accepted[0] - _allowed(self.f, totals[0]) - 0.5) / most
        return excess


class WhereEqual(Search):
    """Where the FAR is no longer below the FRR.

    Args:
        genuine: the row of the genuine weights, ``PAIRS`` or ``EVEN``.
    """

    def __init__(self, genuine: int) -> None:
        self.genuine = genuine

    def excess(self, accepted: Weights, totals: Weights) -> Weights:
        """See :class:`Search`."""
        difference, _ = self.errors(accepted, totals)
        return difference + _ROUNDING

    def errors(self, accepted: Weights, totals: Weights) -> tuple[Weights, Weights]:
        """FAR - FRR, and (FAR + FRR) / 2."""
        whole = totals[self.genuine]
        far, frr = accepted[0] / totals[0], (whole - accepted[self.genuine]) / whole
        return far - frr, (far + frr) / 2

    def rate(self, found: Enclosing, totals: Weights) -> Weights:
        """(R,) the equal error rates: of the thresholds on both sides that where the errors differ less."""
        (low, rate_low), (high, rate_high) = (self.errors(side, totals) for side in found)
        lead = np.abs(low) - np.abs(high)
        equal = np.abs(lead) <= _ROUNDING
        return np.where(equal, np.minimum(rate_low, rate_high), np.where(lead < 0, rate_low, rate_high))


def steps_of(threshold: float) -> int:
    """A threshold in steps: the same distances, whole steps, are below."""
    steps = Fraction(min(max(threshold, 0.0), (FARTHEST + 1) * STEP)) / Fraction(STEP)
    return -(-steps.numerator // steps.denominator)


def _allowed(f: Fraction, totals: Weights) -> Weights:
    """The greatest whole weights that are at most ``f`` of the totals."""
    exact = [int(total) * f.numerator // f.denominator for total in totals.tolist()]
    return np.array(exact, np.float64)


def rate_names(fars: Sequence[float]) -> list[str]:
    """The names that :func:`replicate_rates` gives."""
    sought = ["tar", "eer", *map(tar_at_far_name, fars)]
    return ["far", *(name + ending for ending in ENDINGS.values() for name in sought)]


def replicate_rates(replicates: Replicates, threshold: float, fars: Sequence[float]) -> dict[str, Weights]:
    """(R,) rates of each replicate by the names of their figures; NaN where a replicate lacks the pairs.

    TAR and FAR are taken at the threshold, TAR@FAR and EER each at the replicate's own, as
    :func:`facenet_lit.metrics.figures.figures` takes those of the pairs as they are.

    Args:
        replicates: of a table with pairs of both kinds.
        threshold: distance at which TAR and FAR are given.
        fars: FARs at which TAR is given.
    """
    totals, equal = replicates.totals, {row: WhereEqual(row) for row in ENDINGS}
    with np.errstate(invalid="ignore"):
        accepted = replicates.below(np.array([steps_of(threshold)]))[:, 0] / totals
        *at_fars, both, balanced = enclose(replicates, [*map(AtFar, fars), *equal.values()])
        rates = {"far": accepted[0]}
        for (row, ending), found in zip(ENDINGS.items(), (both, balanced), strict=True):
            rates["tar" + ending] = accepted[row]
            rates["eer" + ending] = equal[row].rate(found, totals)
            for f, side in zip(fars, at_fars, strict=True):
                rates[tar_at_far_name(f) + ending] = side.before[row] / totals[row]
    return rates


def replicate_accuracies(replicates: Replicates, threshold: float) -> Weights:
    """(R,) share of each replicate's pairs that are decided right at a threshold; NaN where it lacks a kind."""
    totals = replicates.totals
    accepted = replicates.below(np.array([steps_of(threshold)]))[:, 0]
    right = accepted[PAIRS] + totals[0] - accepted[0]
    with np.errstate(invalid="ignore"):
        shares = right / (totals[0] + totals[PAIRS])
    return np.where((totals[0] > 0) & (totals[PAIRS] > 0), shares, np.nan)
