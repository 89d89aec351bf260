"""Accuracy over folds, as LFW's view 2 reports it (Huang et al. 2007, section 3).

Each fold is judged at the threshold that is best on all the others; what is told is the mean of the folds'
accuracies and its standard error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from facenet_lit.errors import UserError
from facenet_lit.metrics.operating_points import best_accuracy_threshold
from facenet_lit.metrics.rates import accuracy
from facenet_lit.metrics.scored_pairs import ScoredPairs


def fold_accuracies(folds: Sequence[ScoredPairs]) -> list[float | None]:
    """Accuracy of each fold at the threshold of highest mean of TAR and 1 - FAR on all others.

    Args:
        folds: the pairs of each fold.

    Returns:
        (F,) accuracies; None where a fold, or the others together, lack genuine or impostor pairs.
    """
    return [_accuracy(fold, [*folds[:place], *folds[place + 1 :]]) for place, fold in enumerate(folds)]


def mean_and_standard_error(values: Sequence[float]) -> tuple[float, float]:
    """Mean of independent values and its standard error, their deviation (ddof=1) over the root of their number.

    Raises:
        UserError: there are fewer than two, of which no deviation is known.
    """
    if len(values) < 2:
        raise UserError(f"{len(values)} values: expected two or more, of which a standard error can be told")
    numbers = np.asarray(values, np.float64)
    return float(numbers.mean()), float(numbers.std(ddof=1)) / math.sqrt(len(numbers))


def fold_figures(folds: Sequence[ScoredPairs]) -> dict[str, float | None]:
    """``fold_accuracy``, the mean over folds, and ``fold_accuracy_error``, its standard error.

    Args:
        folds: the pairs of each fold, two or more of them.

    Returns:
        Both; None where a fold has no accuracy.
    """
    found = [value for value in fold_accuracies(folds) if value is not None]
    mean, error = mean_and_standard_error(found) if len(found) == len(folds) else (None, None)
    return {"fold_accuracy": mean, "fold_accuracy_error": error}


def _accuracy(fold: ScoredPairs, others: Sequence[ScoredPairs]) -> float | None:
    threshold = best_accuracy_threshold(_joined(others))
    return None if threshold is None else accuracy(fold, threshold)


def _joined(folds: Sequence[ScoredPairs]) -> ScoredPairs:
    return ScoredPairs.of(
        np.concatenate([fold.genuine for fold in folds]),
        np.concatenate([fold.genuine_identities for fold in folds]),
        np.concatenate([fold.impostor.values() for fold in folds]),
    )
