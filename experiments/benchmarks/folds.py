"""Accuracy over ten folds of listed pairs, from the embeddings of their images."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from benchmarks.harness import Row

from facenet_lit.metrics.fold_accuracy import fold_accuracies, grid_accuracies
from facenet_lit.metrics.scored_pairs import ScoredPairs

FOLDS, PAIRS, SIZE = 10, 600, 512


def rows() -> list[Row]:
    """Against the loop over thresholds that facenet and InsightFace evaluate by."""
    return [
        Row(
            f"{FOLDS} folds, {FOLDS * PAIRS:,} pairs",
            ours,
            loop,
            distances,
            check,
            "grid loop",
            "distances",
        )
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
    return np.sqrt(np.square(first - second).sum(-1))


def ours() -> tuple[list[float | None], list[float | None]]:
    """Each fold's accuracy by the usual grid, and at the exact best threshold of the others."""
    _, _, same = made()
    folds = [
        ScoredPairs.of(fold[genuine], np.zeros(genuine.sum()), fold[~genuine])
        for fold, genuine in zip(distances(), same, strict=True)
    ]
    return grid_accuracies(folds), fold_accuracies(folds)


def loop() -> list[float]:
    """Each fold's accuracy by the usual grid: squared distances, all others at every threshold."""
    squares, same = np.square(distances().ravel(), dtype=np.float64), made()[2].ravel()
    fold_of = np.arange(FOLDS * PAIRS) // PAIRS
    thresholds = np.arange(0, 4, 0.01)
    accuracies = []
    for fold in range(FOLDS):
        others, own = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        on_others = [accuracy(threshold, squares[others], same[others]) for threshold in thresholds]
        accuracies.append(accuracy(thresholds[np.argmax(on_others)], squares[own], same[own]))
    return accuracies


def accuracy(threshold: float, squares: npt.NDArray[np.float64], same: npt.NDArray[np.bool_]) -> float:
    """Share of right answers, counted as facenet does: by kind."""
    accepted = np.less(squares, threshold)
    true_accepts = np.sum(np.logical_and(accepted, same))
    true_rejects = np.sum(np.logical_and(np.logical_not(accepted), np.logical_not(same)))
    return float(true_accepts + true_rejects) / squares.size


def check() -> None:
    """The grid's accuracies are equal to the bit."""
    assert ours()[0] == loop()
