"""Accuracy over folds, as LFW's view 2 reports it (Huang et al. 2007, section 3).

Each fold is judged at the threshold that is best on all the others; what is told is the mean of the folds'
accuracies and its standard error. Pairs are sorted once, and counted at all thresholds together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError
from facenet_lit.metrics.scored_pairs import ScoredPairs

# Squared distances that published accuracies are chosen from (facenet, InsightFace and their descendants).
GRID = np.arange(0, 4, 0.01)


def fold_accuracies(folds: Sequence[ScoredPairs]) -> list[float | None]:
    """Accuracy of each fold at the threshold of highest mean of TAR and 1 - FAR on all others.

    Of equals it is the smallest, of all distances of the others.

    Args:
        folds: the pairs of each fold.

    Returns:
        (F,) accuracies; None where a fold, or the others together, lack genuine or impostor pairs.
    """
    sides = [_sides(fold) for fold in folds]
    distances = [side for fold in sides for side in fold]
    thresholds = np.append(np.unique(np.concatenate(distances)), np.float32(np.inf))  # (T,)
    return _judged(sides, thresholds, _most_balanced)


def grid_accuracies(folds: Sequence[ScoredPairs]) -> list[float | None]:
    """Accuracy of each fold at the threshold of highest accuracy on all others, of the usual grid alone.

    Squared distances are compared with 0, 0.01, ..., 3.99, as in most published figures; of equals it is the
    smallest.

    Args:
        folds: the pairs of each fold.

    Returns:
        (F,) accuracies; None where a fold, or the others together, lack genuine or impostor pairs.
    """
    sides = [[np.square(side, dtype=np.float64) for side in _sides(fold)] for fold in folds]
    return _judged(sides, GRID, lambda accepted, _: int((accepted[0] - accepted[1]).argmax()))


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

    ``fold_accuracy_grid`` and ``fold_accuracy_grid_error`` are the same with thresholds of the usual grid.

    Args:
        folds: the pairs of each fold, two or more of them.

    Returns:
        All four; None where a fold has no accuracy.
    """
    told: dict[str, float | None] = {}
    for name, accuracies in (
        ("fold_accuracy", fold_accuracies(folds)),
        ("fold_accuracy_grid", grid_accuracies(folds)),
    ):
        found = [value for value in accuracies if value is not None]
        mean, error = mean_and_standard_error(found) if len(found) == len(folds) else (None, None)
        told |= {name: mean, f"{name}_error": error}
    return told


def _sides(fold: ScoredPairs) -> list[npt.NDArray[np.float32]]:
    """Ascending distances of the genuine pairs, and those of the impostor pairs."""
    return [fold.genuine, fold.impostor.values()]


def _most_balanced(accepted: IntArray, sizes: IntArray) -> int:
    """Number of the threshold of highest mean of TAR and 1 - FAR, of those at one of the distances themselves."""
    gain = accepted[0] * sizes[1] - accepted[1] * sizes[0]  # (T,)
    theirs = np.diff(accepted.sum(0), append=sizes.sum()) > 0  # the next threshold accepts more
    return int(np.where(theirs, gain, np.iinfo(np.int64).min).argmax())


def _judged(
    folds: Sequence[Sequence[npt.NDArray[np.floating]]],
    thresholds: npt.NDArray[np.floating],
    choose: Callable[[IntArray, IntArray], int],
) -> list[float | None]:
    """Accuracy of each fold at the threshold that ``choose`` takes for the others.

    Args:
        folds: distances of the genuine pairs and of the impostor pairs of each.
        thresholds: (T,) ascending.
        choose: the number of a threshold, by the (2, T) genuine and impostor pairs that each accepts of (2,).
    """
    sizes = np.array([[len(side) for side in fold] for fold in folds], np.int64)
    accepted = np.empty((len(folds), 2, len(thresholds)), np.int64)
    for fold, kind in np.ndindex(len(folds), 2):
        first = np.searchsorted(thresholds, folds[fold][kind], side="right")  # that is above a distance
        np.bincount(first, minlength=len(thresholds) + 1)[:-1].cumsum(out=accepted[fold, kind])
    left, of_all = sizes.sum(0) - sizes, accepted.sum(0)
    accuracies: list[float | None] = []
    for own, size, others in zip(accepted, sizes, left, strict=True):
        at = choose(of_all - own, others)
        right = int(own[0, at] + size[1] - own[1, at])
        accuracies.append(right / int(size.sum()) if min(*size, *others) > 0 else None)
    return accuracies
