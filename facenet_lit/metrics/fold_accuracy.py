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
from facenet_lit.metrics.exact_distances import FloatArray
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
    distances, sizes = _all_of(folds)
    thresholds = np.append(np.unique(distances), np.float32(np.inf))  # (T,)
    return _judged(distances, sizes, thresholds, _most_balanced)


def grid_accuracies(folds: Sequence[ScoredPairs]) -> list[float | None]:
    """Accuracy of each fold at the threshold of highest accuracy on all others, of the usual grid alone.

    Squared distances are compared with 0, 0.01, ..., 3.99, as in most published figures; of equals it is the
    smallest.

    Args:
        folds: the pairs of each fold.

    Returns:
        (F,) accuracies; None where a fold, or the others together, lack genuine or impostor pairs.
    """
    distances, sizes = _all_of(folds)
    squares = np.square(distances, dtype=np.float64)
    return _judged(squares, sizes, GRID, lambda accepted, _: int((accepted[0] - accepted[1]).argmax()))


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


def _all_of(folds: Sequence[ScoredPairs]) -> tuple[FloatArray, IntArray]:
    """(P,) distances, fold by fold, of its genuine pairs and then of its impostor pairs; (F, 2) how many of each."""
    sides = [side for fold in folds for side in (fold.genuine, fold.impostor.values())]
    return np.concatenate(sides), np.array([len(side) for side in sides]).reshape(-1, 2)


def _most_balanced(accepted: IntArray, sizes: IntArray) -> int:
    """Number of the threshold of highest mean of TAR and 1 - FAR, of those at one of the distances themselves."""
    gain = accepted[0] * sizes[1] - accepted[1] * sizes[0]  # (T,)
    theirs = np.diff(accepted.sum(0), append=sizes.sum()) > 0  # the next threshold accepts more
    return int(np.where(theirs, gain, np.iinfo(np.int64).min).argmax())


def _judged(
    distances: npt.NDArray[np.floating],
    sizes: IntArray,
    thresholds: npt.NDArray[np.floating],
    choose: Callable[[IntArray, IntArray], int],
) -> list[float | None]:
    """Accuracy of each fold at the threshold that ``choose`` takes for the others.

    Args:
        distances: (P,) fold by fold, of its genuine pairs and then of its impostor pairs.
        sizes: (F, 2) how many of each.
        thresholds: (T,) ascending.
        choose: the number of a threshold, by the (2, T) genuine and impostor pairs that each accepts of (2,).
    """
    places = len(thresholds) + 1
    above = np.searchsorted(thresholds, distances, side="right")  # the first threshold that is above each
    above += np.repeat(np.arange(0, sizes.size * places, places), sizes.ravel())
    counted = np.bincount(above, minlength=sizes.size * places).reshape(*sizes.shape, places)
    accepted = counted.cumsum(2, out=counted)[..., :-1]  # (F, 2, T)
    left, of_all = sizes.sum(0) - sizes, accepted.sum(0)
    accuracies: list[float | None] = []
    for own, size, others in zip(accepted, sizes, left, strict=True):
        at = choose(of_all - own, others)
        right = int(own[0, at] + size[1] - own[1, at])
        accuracies.append(right / int(size.sum()) if min(*size, *others) > 0 else None)
    return accuracies
