"""Verification rates over scored pairs: exact counts and exact ties.

A pair is accepted when its distance is below the threshold. TAR is the share of genuine pairs accepted,
FAR that of impostor pairs. FRR is 1 - TAR. Genuine rates come over pairs or ``balanced``, where the pairs
of each identity weigh 1 in all. A rate is None where the pairs it is a share of are missing.
"""

from __future__ import annotations

import math

import numpy as np

from facenet_lit.errors import UserError
from facenet_lit.metrics.exact_distances import FloatArray
from facenet_lit.metrics.ordered_distances import OrderedDistances
from facenet_lit.metrics.resolution import exact_far, is_resolvable
from facenet_lit.metrics.scored_pairs import ScoredPairs, balanced_weights
from facenet_lit.metrics.weighed_distances import WeighedDistances


def tar(pairs: ScoredPairs, threshold: float, balanced: bool = False) -> float | None:
    """Share of genuine pairs accepted at ``threshold`` (VAL in Schroff et al. 2015, section 4)."""
    return _share(pairs.genuine_counts(balanced), threshold)


def far(pairs: ScoredPairs, threshold: float) -> float | None:
    """Share of impostor pairs accepted at ``threshold`` (Schroff et al. 2015, section 4)."""
    return _share(pairs.impostor_counts, threshold)


def accuracy(pairs: ScoredPairs, threshold: float) -> float | None:
    """Share of all pairs decided right at ``threshold``; None where either kind is missing."""
    if not pairs.has_both_kinds:
        return None
    at = _least_float32(threshold)
    rejected = len(pairs.impostor) - pairs.impostor_counts.accepted_at(at)
    right = pairs.genuine_counts(False).accepted_at(at) + rejected
    return right / (len(pairs.genuine) + len(pairs.impostor))


def tar_at_far(pairs: ScoredPairs, f: float, balanced: bool = False) -> float | None:
    """Largest TAR over the thresholds whose FAR is at most ``f``, without interpolation.

    ``f`` is the decimal number it is written as. None where it is not resolvable.
    """
    if not len(pairs.genuine) or not is_resolvable(f, len(pairs.impostor)):
        return None
    allowed = math.floor(exact_far(f) * len(pairs.impostor))
    # At the distance of impostor pair number `allowed` (from 0) at most that many are accepted, and at any
    # higher threshold more.
    return tar(
        pairs, float(pairs.impostor.at(allowed)) if allowed < len(pairs.impostor) else math.inf, balanced
    )


def auc(pairs: ScoredPairs, balanced: bool = False) -> float | None:
    """Chance that a genuine pair is closer than an impostor pair, ties counting half: area under the ROC.

    The Mann-Whitney statistic (Hanley & McNeil 1982).
    """
    if not pairs.has_both_kinds:
        return None
    genuine, impostor = pairs.genuine_counts(balanced), pairs.impostor
    twice = sum(weight * _twice_won(distances.values(), impostor) for weight, distances in genuine.groups)
    return twice / (2 * genuine.total * len(impostor))


def genuine_distance(pairs: ScoredPairs, balanced: bool = False) -> float | None:
    """Mean distance of genuine pairs."""
    if not len(pairs.genuine):
        return None
    weights = balanced_weights(pairs.genuine_identities) if balanced else None
    return float(np.average(pairs.genuine.astype(np.float64), weights=weights))


def impostor_distance(pairs: ScoredPairs) -> float | None:
    """Mean distance of impostor pairs."""
    return pairs.impostor.mean() if len(pairs.impostor) else None


def _share(counts: WeighedDistances, threshold: float) -> float | None:
    return counts.accepted_at(_least_float32(threshold)) / counts.total if counts.total else None


def _least_float32(threshold: float) -> float:
    """The least float32 at or above ``threshold``: below it are the same float32 distances, exactly."""
    if math.isnan(threshold):
        raise UserError("threshold=nan: expected a distance or infinity")
    rounded = np.float32(threshold)
    return float(rounded if float(rounded) >= threshold else np.nextafter(rounded, np.float32(np.inf)))


def _twice_won(genuine: FloatArray, impostor: OrderedDistances) -> int:
    """Twice the number of pairings in which the genuine pair is closer, those where it ties once."""
    won = 0
    for start in range(0, len(genuine), 2**20):  # so that an int64 sum can't overflow
        part = genuine[start : start + 2**20]
        lost = impostor.below(part) + impostor.up_to(part)
        won += 2 * len(part) * len(impostor) - int(lost.sum())
    return won
