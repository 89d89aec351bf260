from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from brute_force import GENUINE, IMPOSTOR, Brute, scored
from hypothesis import given, settings
from hypothesis import strategies as st

from facenet_lit.errors import UserError
from facenet_lit.metrics.fold_accuracy import (
    fold_accuracies,
    fold_figures,
    grid_accuracies,
    mean_and_standard_error,
)
from facenet_lit.metrics.scored_pairs import ScoredPairs

FOLDS = st.lists(st.tuples(GENUINE, IMPOSTOR), min_size=2, max_size=5)


@settings(max_examples=60, deadline=None)
@given(FOLDS)
def test_each_fold_at_the_threshold_of_the_others_against_a_loop(folds):
    expected = []
    for k, (genuine, impostor) in enumerate(folds):
        others = folds[:k] + folds[k + 1 :]
        rest = [[pair for fold in others for pair in fold[side]] for side in (0, 1)]
        threshold = Brute(*rest, False).best_threshold()
        right = sum(d < threshold for d, _ in genuine) + sum(d >= threshold for d in impostor)
        expected.append(right / (len(genuine) + len(impostor)))
    found = fold_figures([scored(*fold) for fold in folds])
    assert fold_accuracies([scored(*fold) for fold in folds]) == expected
    assert found["fold_accuracy"] == pytest.approx(statistics.mean(expected), abs=1e-12)
    error = statistics.stdev(expected) / math.sqrt(len(expected))
    assert found["fold_accuracy_error"] == pytest.approx(error, abs=1e-12)


def test_ten_folds_of_view_2_against_a_loop():
    generator = np.random.default_rng(0)
    genuine, impostor = generator.normal(0.9, 0.2, (10, 300)), generator.normal(1.3, 0.15, (10, 300))
    genuine, impostor = genuine.clip(0).astype(np.float32), impostor.clip(0).astype(np.float32)
    accuracies = []
    for k in range(10):
        g, i = np.delete(genuine, k, 0).ravel(), np.delete(impostor, k, 0).ravel()
        thresholds = np.unique(np.concatenate([g, i]))
        gains = [(g < t).sum() - (i < t).sum() for t in thresholds]
        t = thresholds[np.argmax(gains)]
        accuracies.append(((genuine[k] < t).sum() + (impostor[k] >= t).sum()) / 600)
    folds = [ScoredPairs.of(g, np.arange(300), i) for g, i in zip(genuine, impostor, strict=True)]
    figures = fold_figures(folds)
    assert figures["fold_accuracy"] == pytest.approx(np.mean(accuracies))
    assert figures["fold_accuracy_error"] == pytest.approx(np.std(accuracies, ddof=1) / 10**0.5)


def usual_grid_loop(squares, same, fold_of):
    """As facenet and InsightFace evaluate: of squared distances, all thresholds of a grid, one by one."""
    accuracies = []
    for fold in range(fold_of.max() + 1):

        def accuracy(threshold, chosen):
            return np.sum((squares[chosen] < threshold) == same[chosen]) / np.sum(chosen)

        thresholds = np.arange(0, 4, 0.01)
        on_others = [accuracy(threshold, fold_of != fold) for threshold in thresholds]
        accuracies.append(accuracy(thresholds[np.argmax(on_others)], fold_of == fold))
    return accuracies


@pytest.mark.parametrize("seed", range(5))
def test_the_grid_s_accuracy_is_that_of_the_usual_loop_to_the_bit(seed):
    generator = np.random.default_rng(seed)
    same, fold_of = generator.permuted(np.arange(1200) % 2 == 0), np.repeat(np.arange(10), 120)
    distances = generator.normal(np.where(same, 0.9, 1.3), 0.2).clip(0).astype(np.float32)
    distances[::7] = np.sqrt(distances[::7].round(1))  # many at the grid's thresholds, or next to them
    folds = []
    for fold in range(10):
        genuine, impostor = (distances[(fold_of == fold) & (same == side)] for side in (True, False))
        folds.append(ScoredPairs.of(genuine, np.zeros(len(genuine)), impostor))
    expected = usual_grid_loop(np.square(distances, dtype=np.float64), same, fold_of)
    assert grid_accuracies(folds) == expected
    figures = fold_figures(folds)
    assert figures["fold_accuracy_grid"] == np.mean(expected)
    assert figures["fold_accuracy_grid_error"] == np.std(expected, ddof=1) / math.sqrt(10)


def test_folds_that_lack_pairs_have_no_accuracy():
    whole, empty = ScoredPairs.of([0.5], [0], [1.0]), ScoredPairs.of([], [], [])
    assert fold_accuracies([whole, empty]) == [None, None]
    assert fold_accuracies([empty, empty]) == grid_accuracies([empty, empty]) == [None, None]
    assert (
        fold_accuracies([whole, whole, empty]) == grid_accuracies([whole, whole, empty]) == [1.0, 1.0, None]
    )
    assert set(fold_figures([whole, whole, empty]).values()) == {None}


def test_of_one_value_no_error_is_known():
    assert mean_and_standard_error([0.5, 0.5]) == (0.5, 0.0)
    with pytest.raises(UserError, match=r"^1 values: expected two or more"):
        mean_and_standard_error([0.5])
