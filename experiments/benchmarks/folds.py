"""Accuracy over ten folds of listed pairs: from the embeddings of their images on both sides, or from distances."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from benchmarks.harness import Row
from torch.nn.functional import normalize

from facenet_lit.batch import IntArray, Rows
from facenet_lit.metrics.fold_accuracy import fold_accuracies, grid_accuracies
from facenet_lit.metrics.pair_scoring import score_lists
from facenet_lit.metrics.scored_pairs import ScoredPairs

FOLDS, PAIRS, SIZE = 10, 600, 128  # as LFW's view 2; as many dimensions as FaceNet's

Values = npt.NDArray[np.floating]


def rows() -> list[Row]:
    """Against the loop over thresholds that facenet and InsightFace evaluate by, of their grid and of all distances."""
    work, images = f"{FOLDS} folds, {FOLDS * PAIRS:,} pairs", f"from {2 * FOLDS * PAIRS:,} x {SIZE}"
    bound = "distances, float32"
    return [
        Row(
            f"{work}, usual grid, {images}",
            grid,
            grid_loop,
            distances,
            check_grid,
            "grid loop",
            bound,
            inputs=made,
        ),
        Row(
            f"{work}, usual grid, from their distances",
            grid_from_distances,
            grid_loop_from_distances,
            sorted_distances,
            check_from_distances,
            "grid loop",
            "sort, float32",
            inputs=known,
        ),
        Row(
            f"{work}, exact best, {images}",
            best,
            best_loop,
            distances,
            check_best,
            "loop",
            bound,
            slow_peer=True,
            inputs=made,
        ),
    ]


@cache
def made() -> tuple[Rows, list[IntArray], npt.NDArray[np.bool_]]:
    """Unit vectors, (P, 2) image numbers of each fold's pairs, and (F * P,) which are of one person, those first."""
    generator = np.random.default_rng(0)
    same = np.tile(np.arange(PAIRS) < PAIRS // 2, FOLDS)
    first, second = generator.normal(size=(2, len(same), SIZE)).astype(np.float32)
    second += (generator.normal(0.7, 0.4, (len(same), 1)) * same[:, None] * first).astype(np.float32)
    embeddings = normalize(
        torch.from_numpy(np.stack([first, second], 1).reshape(-1, SIZE))
    )  # a pair side by side
    numbers = np.arange(2 * len(same)).reshape(-1, 2)
    identities = np.where(same[:, None], numbers[:, :1], numbers)
    rows = Rows(embeddings, torch.from_numpy(identities.ravel()), torch.from_numpy(numbers.ravel()))
    return rows, np.split(numbers, FOLDS), same


def scored() -> list[ScoredPairs]:
    """The pairs of each fold."""
    rows, folds, _ = made()
    return score_lists(*rows[:3], folds)


def grid() -> list[float | None]:
    """Each fold's accuracy by the usual grid."""
    return grid_accuracies(scored())


def best() -> list[float | None]:
    """Each fold's accuracy at the best of all thresholds."""
    return fold_accuracies(scored())


def squares() -> Values:
    """(F * P,) squared distances, the usual way: every second row is the other of the one before."""
    embeddings = made()[0].embeddings.numpy()
    return np.sum(np.square(embeddings[0::2] - embeddings[1::2]), 1)


def distances() -> Values:
    """(F * P,) Euclidean distances."""
    return np.sqrt(squares())


@cache
def known() -> Values:
    """(F * P,) float32 distances, as the pairs are listed."""
    return distances()


def grid_from_distances() -> list[float | None]:
    """As :func:`grid`, from distances."""
    pairs = zip(np.split(known(), FOLDS), np.split(made()[2], FOLDS), strict=True)
    nobody = np.zeros(PAIRS, np.int64)
    return grid_accuracies([ScoredPairs.of(own[same], nobody[same], own[~same]) for own, same in pairs])


def grid_loop_from_distances() -> list[float]:
    """As :func:`grid_loop`, from distances."""
    return loop(np.square(known(), dtype=np.float64), grid_thresholds)


def sorted_distances() -> Values:
    """(F * P,) distances in ascending order."""
    return np.sort(known())


def grid_loop() -> list[float]:
    """The usual way: squared distances, at every threshold of the grid."""
    return loop(squares(), grid_thresholds)


def best_loop() -> list[float]:
    """The same at every distance of the others."""
    return loop(distances(), np.unique)


def grid_thresholds(others: Values) -> Values:
    """Those of the usual grid, whatever the distances."""
    return np.arange(0, 4, 0.01)


def loop(values: Values, thresholds_for: Callable[[Values], Values]) -> list[float]:
    """Each fold's accuracy at the threshold of highest accuracy on all others."""
    same, fold_of = made()[2], np.arange(FOLDS * PAIRS) // PAIRS
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
    """On our distances the loop finds the same to the bit, on its own nearly."""
    _check(grid(), loop(np.square(exact(), dtype=np.float64), grid_thresholds), grid_loop())


def check_best() -> None:
    """The same: with as many pairs of either kind TAR and 1 - FAR weigh as much as pairs."""
    _check(best(), loop(exact(), np.unique), best_loop())


def check_from_distances() -> None:
    """They are the same to the bit."""
    assert grid_from_distances() == grid_loop_from_distances()


def exact() -> Values:
    """(F * P,) our distances, in each fold those of one person first."""
    return np.concatenate([side for fold in scored() for side in (fold.genuine, fold.impostor.values())])


def _check(ours: list[float | None], same: list[float], peer: list[float]) -> None:
    assert ours == same
    np.testing.assert_allclose(peer, same, atol=2.5 / PAIRS)  # a pair or two change sides
