"""Accuracy over ten folds of listed pairs, from the embeddings of their images."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
from benchmarks.harness import Row

from facenet_lit.metrics.fold_accuracy import fold_accuracies, grid_accuracies
from facenet_lit.metrics.scored_pairs import ScoredPairs

FOLDS, PAIRS, SIZE = 10, 600, 512

Values = npt.NDArray[np.floating]


def rows() -> list[Row]:
    """Against the loop over thresholds that facenet and InsightFace evaluate by, of their grid and of all distances."""
    made()
    work = f"{FOLDS} folds, {FOLDS * PAIRS:,} pairs"
    return [
        Row(f"{work}, usual grid", grid, grid_loop, distances, check_grid, "grid loop", "distances"),
        Row(
            f"{work}, exact best", best, best_loop, distances, check_best, "loop", "distances", slow_peer=True
        ),
    ]


@cache
def made() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """(F, P, D) unit vectors of the first and of the second images, and (F, P) which are of one person."""
    generator = np.random.default_rng(0)
    same = np.tile(np.arange(PAIRS) < PAIRS // 2, (FOLDS, 1))
    first, second = generator.normal(size=(2, FOLDS, PAIRS, SIZE)).astype(np.float32)
    second += (generator.normal(0.7, 0.4, (FOLDS, PAIRS, 1)) * same[..., None] * first).astype(np.float32)
    return (*(part / np.linalg.norm(part, axis=-1, keepdims=True) for part in (first, second)), same)


def distances() -> npt.NDArray[np.float32]:
    """(F, P) Euclidean distances."""
    first, second, _ = made()
    squares = np.empty(first.shape[:2], np.float32)
    for one, other, out in zip(first, second, squares, strict=True):
        difference = one - other
        np.einsum("pd,pd->p", difference, difference, out=out)
    return np.sqrt(squares)


def scored() -> list[ScoredPairs]:
    """The pairs of each fold."""
    return [
        ScoredPairs.of(fold[genuine], np.zeros(genuine.sum()), fold[~genuine])
        for fold, genuine in zip(distances(), made()[2], strict=True)
    ]


def grid() -> list[float | None]:
    """Each fold's accuracy by the usual grid."""
    return grid_accuracies(scored())


def best() -> list[float | None]:
    """Each fold's accuracy at the best of all thresholds."""
    return fold_accuracies(scored())


def grid_loop() -> list[float]:
    """The usual way: squared distances, at every threshold of the grid."""
    squares = np.square(distances(), dtype=np.float64).ravel()
    return loop(squares, lambda others: np.arange(0, 4, 0.01))


def best_loop() -> list[float]:
    """The same at every distance of the others."""
    return loop(distances().ravel(), np.unique)


def loop(values: Values, thresholds_for: Callable[[Values], Values]) -> list[float]:
    """Each fold's accuracy at the threshold of highest accuracy on all others."""
    same, fold_of = made()[2].ravel(), np.arange(FOLDS * PAIRS) // PAIRS
    accuracies = []
    for fold in range(FOLDS):
        others, own = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        thresholds = thresholds_for(values[others])
        on_others = [accuracy(threshold, values[others], same[others]) for threshold in thresholds]
        accuracies.append(accuracy(thresholds[np.argmax(on_others)], values[own], same[own]))
    return accuracies


def accuracy(threshold: float, values: Values, same: npt.NDArray[np.bool_]) -> float:
    """Share of right answers, counted as facenet does: by kind."""
    accepted = np.less(values, threshold)
    true_accepts = np.sum(np.logical_and(accepted, same))
    true_rejects = np.sum(np.logical_and(np.logical_not(accepted), np.logical_not(same)))
    return float(true_accepts + true_rejects) / values.size


def check_grid() -> None:
    """The accuracies are equal to the bit."""
    assert grid() == grid_loop()


def check_best() -> None:
    """The accuracies are equal to the bit: with as many pairs of either kind TAR and 1 - FAR weigh as much as pairs."""
    assert best() == best_loop()
