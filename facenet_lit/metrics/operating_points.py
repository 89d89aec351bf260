"""Thresholds that are sought: of equal errors, and of the best accuracy. Found exactly, by integers."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from facenet_lit.metrics.ordered_distances import OrderedDistances, SortedDistances
from facenet_lit.metrics.scored_pairs import ScoredPairs, balanced_weights


class EqualErrorRate(NamedTuple):
    """The equal error rate and the threshold it is taken at."""

    rate: float
    threshold: float


def eer(pairs: ScoredPairs, balanced: bool = False) -> EqualErrorRate | None:
    """(FAR + FRR) / 2 at the threshold, of all distinct distances and infinity, where they differ least.

    On ties the least (FAR + FRR) / 2, then the smallest threshold. From each distinct distance to the next
    at least one more pair is accepted, so FAR - FRR increases strictly: the threshold is the first where it
    isn't negative, or the one before. Both are found by bisection, in integers.
    """
    if not pairs.has_both_kinds:
        return None
    genuine, impostor = pairs.genuine_counts(balanced), pairs.impostor_counts

    def errors(threshold: float) -> tuple[int, int]:  # FAR and FRR, times both totals
        missed = genuine.total - genuine.accepted_at(threshold)
        return impostor.accepted_at(threshold) * genuine.total, missed * impostor.total

    def crossed(threshold: float) -> bool:
        false_accepts, false_rejects = errors(threshold)
        return false_accepts >= false_rejects

    def rank(threshold: float) -> tuple[int, int, float]:
        false_accepts, false_rejects = errors(threshold)
        return abs(false_accepts - false_rejects), false_accepts + false_rejects, threshold

    sides = (SortedDistances(pairs.genuine), pairs.impostor)
    crossing = min(_first_where(crossed, distances) for distances in sides)
    before = max(_last_below(crossing, distances) for distances in sides)
    _, both, threshold = min(rank(before), rank(crossing))
    return EqualErrorRate(both / (2 * genuine.total * impostor.total), threshold)


def best_accuracy_threshold(pairs: ScoredPairs, balanced: bool = False) -> float | None:
    """Threshold, of all distances and infinity, of highest mean of TAR and 1 - FAR; of equals the smallest.

    The mean rises only past a genuine distance, so the candidates are the first distance of all and those
    that follow a genuine one. Floats leave the few that may be best, integers decide. Infinity never is:
    it does no better than the first distance, which accepts nothing.
    """
    if not pairs.has_both_kinds:
        return None
    genuine, impostor = pairs.genuine_counts(balanced), pairs.impostor_counts
    distinct = np.unique(pairs.genuine)
    weights = balanced_weights(pairs.genuine_identities) if balanced else np.ones(len(pairs.genuine))
    tars = np.cumsum(weights)[np.searchsorted(pairs.genuine, distinct, "right") - 1] / weights.sum()
    gain = tars - pairs.impostor.up_to(distinct) / len(pairs.impostor)
    rounding = 4 * (len(weights) + 4) * np.finfo(np.float64).eps
    near_best = distinct[gain >= gain.max() - rounding]
    sides = (SortedDistances(pairs.genuine), pairs.impostor)
    following = np.minimum(*(side.next_above(near_best) for side in sides))
    thresholds = np.append(min(float(side.at(0)) for side in sides), following).astype(np.float32)
    exact = genuine.accepted(thresholds) * impostor.total - impostor.accepted(thresholds) * genuine.total
    return float(thresholds[np.argmax(exact)])  # the first of equals


def _first_where(condition: Callable[[float], bool], distances: OrderedDistances) -> float:
    """First of ascending distances from which on ``condition`` holds; infinity if none."""
    index = bisect_left(range(len(distances)), True, key=lambda i: condition(float(distances.at(i))))
    return float(distances.at(index)) if index < len(distances) else math.inf


def _last_below(threshold: float, distances: OrderedDistances) -> float:
    """Last of ascending distances below ``threshold``; minus infinity if none."""
    index = int(distances.below(np.float32(threshold)))
    return float(distances.at(index - 1)) if index else -math.inf
