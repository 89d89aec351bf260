"""Verification rates over scored pairs: exact counts and exact ties.

A pair is accepted when its distance is below the threshold. TAR is the share of genuine pairs accepted,
FAR that of impostor pairs. FRR is 1 - TAR. Genuine rates come over pairs or ``balanced``, where the pairs
of each identity weigh 1 in all. A rate is None where the pairs it is a share of are missing.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from fractions import Fraction
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from facenet_lit.errors import UserError, check_integer
from facenet_lit.metrics.exact_distances import FloatArray
from facenet_lit.metrics.scored_pairs import (
    ScoredPairs,
    WeighedDistances,
    balanced_weights,
)

COARSE = 10  # impostor pairs a FAR should allow at least


class EqualErrorRate(NamedTuple):
    """The equal error rate and the threshold it is taken at."""

    rate: float
    threshold: float


class Roc(NamedTuple):
    """Points of a ROC curve, by ascending threshold: (K,) each, from (0, 0) to (1, 1)."""

    far: npt.NDArray[np.float64]
    tar: npt.NDArray[np.float64]
    thresholds: FloatArray


def tar(pairs: ScoredPairs, threshold: float, balanced: bool = False) -> float | None:
    """Share of genuine pairs accepted at ``threshold`` (VAL in Schroff et al. 2015, section 4)."""
    return _share(pairs.genuine_counts(balanced), threshold)


def far(pairs: ScoredPairs, threshold: float) -> float | None:
    """Share of impostor pairs accepted at ``threshold`` (Schroff et al. 2015, section 4)."""
    return _share(pairs.impostor_counts, threshold)


def accuracy(pairs: ScoredPairs, threshold: float) -> float | None:
    """Share of all pairs decided right at ``threshold``; None where either kind is missing."""
    if not _both_kinds(pairs):
        return None
    at = _least_float32(threshold)
    rejected = len(pairs.impostor) - _accepted(pairs.impostor_counts, at)
    right = _accepted(pairs.genuine_counts(False), at) + rejected
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
    return tar(pairs, float(pairs.impostor[allowed]) if allowed < len(pairs.impostor) else math.inf, balanced)


def eer(pairs: ScoredPairs, balanced: bool = False) -> EqualErrorRate | None:
    """(FAR + FRR) / 2 at the threshold, of all distinct distances and infinity, where they differ least.

    On ties the least (FAR + FRR) / 2, then the smallest threshold. From each distinct distance to the next
    at least one more pair is accepted, so FAR - FRR increases strictly: the threshold is the first where it
    isn't negative, or the one before. Both are found by bisection, in integers.
    """
    if not _both_kinds(pairs):
        return None
    genuine, impostor = pairs.genuine_counts(balanced), pairs.impostor_counts

    def errors(threshold: float) -> tuple[int, int]:  # FAR and FRR, times both totals
        missed = genuine.total - _accepted(genuine, threshold)
        return _accepted(impostor, threshold) * genuine.total, missed * impostor.total

    def crossed(threshold: float) -> bool:
        false_accepts, false_rejects = errors(threshold)
        return false_accepts >= false_rejects

    def rank(threshold: float) -> tuple[int, int, float]:
        false_accepts, false_rejects = errors(threshold)
        return abs(false_accepts - false_rejects), false_accepts + false_rejects, threshold

    sides = (pairs.genuine, pairs.impostor)
    crossing = min(_first_where(crossed, distances) for distances in sides)
    before = max(_last_below(crossing, distances) for distances in sides)
    _, both, threshold = min(rank(before), rank(crossing))
    return EqualErrorRate(both / (2 * genuine.total * impostor.total), threshold)


def auc(pairs: ScoredPairs, balanced: bool = False) -> float | None:
    """Chance that a genuine pair is closer than an impostor pair, ties counting half: area under the ROC.

    The Mann-Whitney statistic (Hanley & McNeil 1982).
    """
    if not _both_kinds(pairs):
        return None
    genuine, impostor = pairs.genuine_counts(balanced), pairs.impostor
    twice = sum(weight * _twice_won(distances, impostor) for weight, distances in genuine.groups)
    return twice / (2 * genuine.total * len(impostor))


def best_accuracy_threshold(pairs: ScoredPairs, balanced: bool = False) -> float | None:
    """Threshold, of all distances and infinity, of highest mean of TAR and 1 - FAR; of equals the smallest.

    The mean rises only past a genuine distance, so the candidates are the first distance of all and those
    that follow a genuine one. Floats leave the few that may be best, integers decide. Infinity never is:
    it does no better than the first distance, which accepts nothing.
    """
    if not _both_kinds(pairs):
        return None
    genuine, impostor = pairs.genuine_counts(balanced), pairs.impostor_counts
    distinct = np.unique(pairs.genuine)
    weights = balanced_weights(pairs.genuine_identities) if balanced else np.ones(len(pairs.genuine))
    tars = np.cumsum(weights)[np.searchsorted(pairs.genuine, distinct, "right") - 1] / weights.sum()
    gain = tars - np.searchsorted(pairs.impostor, distinct, "right") / len(pairs.impostor)
    rounding = 4 * (len(weights) + 4) * np.finfo(np.float64).eps
    near_best = distinct[gain >= gain.max() - rounding]
    following = np.minimum(_next_above(near_best, pairs.genuine), _next_above(near_best, pairs.impostor))
    thresholds = np.append(min(pairs.genuine[0], pairs.impostor[0]), following)
    exact = genuine.accepted(thresholds) * impostor.total - impostor.accepted(thresholds) * genuine.total
    return float(thresholds[np.argmax(exact)])  # the first of equals


def roc(pairs: ScoredPairs, balanced: bool = False, points: int = 1000) -> Roc | None:
    """At most ``points`` points of the ROC curve, for plots, with both its ends.

    All of them where there are no more pairs than that; else spread evenly over the genuine pairs and
    logarithmically over the impostor pairs, so that small FARs are drawn as finely as large ones.

    Raises:
        UserError: fewer than 3 points asked for.
    """
    check_integer("points", points, 3)
    if not _both_kinds(pairs):
        return None
    kept_genuine, kept_impostor = pairs.genuine, pairs.impostor
    if len(kept_genuine) + len(kept_impostor) >= points:
        each = (points - 1) // 2
        kept_genuine = kept_genuine[np.linspace(0, len(kept_genuine) - 1, each).astype(int)]
        kept_impostor = kept_impostor[np.geomspace(1, len(kept_impostor), each).astype(int) - 1]
    thresholds = np.append(np.unique(np.concatenate([kept_genuine, kept_impostor])), np.float32(np.inf))
    genuine, impostor = pairs.genuine_counts(balanced), pairs.impostor_counts
    fars = impostor.accepted(thresholds) / impostor.total
    tars = genuine.accepted(thresholds) / genuine.total
    return Roc(fars.astype(np.float64), tars.astype(np.float64), thresholds)


def genuine_distance(pairs: ScoredPairs, balanced: bool = False) -> float | None:
    """Mean distance of genuine pairs."""
    if not len(pairs.genuine):
        return None
    weights = balanced_weights(pairs.genuine_identities) if balanced else None
    return float(np.average(pairs.genuine.astype(np.float64), weights=weights))


def impostor_distance(pairs: ScoredPairs) -> float | None:
    """Mean distance of impostor pairs."""
    return float(pairs.impostor.mean(dtype=np.float64)) if len(pairs.impostor) else None


def resolution(f: float, impostor_count: int) -> Literal["unresolvable", "coarse", "fine"]:
    """How well a FAR of ``f`` shows on so many impostor pairs: not below 1 accepted pair, coarsely below 10.

    Raises:
        UserError: ``f`` is not above 0 and at most 1.
    """
    allowed = math.floor(exact_far(f) * impostor_count)
    return "unresolvable" if allowed < 1 else "coarse" if allowed < COARSE else "fine"


def is_resolvable(f: float, impostor_count: int) -> bool:
    """Whether ``f`` times the impostor pairs is at least 1; see :func:`resolution`."""
    return resolution(f, impostor_count) != "unresolvable"


def exact_far(f: float) -> Fraction:
    """The decimal number ``f`` is written as: in floats 0.29 * 100 falls short of 29.

    Raises:
        UserError: ``f`` is not above 0 and at most 1.
    """
    if not 0 < f <= 1:
        raise UserError(f"metrics.fars: {f} is not a rate: expected numbers above 0 and at most 1")
    return Fraction(repr(float(f)))


def _both_kinds(pairs: ScoredPairs) -> bool:
    return len(pairs.genuine) > 0 and len(pairs.impostor) > 0


def _accepted(counts: WeighedDistances, threshold: float) -> int:
    return int(counts.accepted(threshold)[0])


def _share(counts: WeighedDistances, threshold: float) -> float | None:
    return _accepted(counts, _least_float32(threshold)) / counts.total if counts.total else None


def _least_float32(threshold: float) -> float:
    """The least float32 at or above ``threshold``: below it are the same float32 distances, exactly."""
    if math.isnan(threshold):
        raise UserError("threshold=nan: expected a distance or infinity")
    rounded = np.float32(threshold)
    return float(rounded if float(rounded) >= threshold else np.nextafter(rounded, np.float32(np.inf)))


def _first_where(condition: Callable[[float], bool], distances: FloatArray) -> float:
    """First of ascending distances from which on ``condition`` holds; infinity if none."""
    index = bisect_left(range(len(distances)), True, key=lambda i: condition(float(distances[i])))
    return float(distances[index]) if index < len(distances) else math.inf


def _last_below(threshold: float, distances: FloatArray) -> float:
    """Last of ascending distances below ``threshold``; minus infinity if none."""
    index = int(np.searchsorted(distances, np.float32(threshold)))
    return float(distances[index - 1]) if index else -math.inf


def _next_above(values: FloatArray, distances: FloatArray) -> FloatArray:
    """First of ascending distances above each of ``values`` (K,); infinity where none."""
    index = np.searchsorted(distances, values, "right")
    return np.append(distances, np.float32(np.inf))[index]


def _twice_won(genuine: FloatArray, impostor: FloatArray) -> int:
    """Twice the number of pairings in which the genuine pair is closer, those where it ties once."""
    won = 0
    for start in range(0, len(genuine), 2**20):  # so that an int64 sum can't overflow
        part = genuine[start : start + 2**20]
        lost = np.searchsorted(impostor, part) + np.searchsorted(impostor, part, "right")
        won += 2 * len(part) * len(impostor) - int(lost.sum())
    return won
