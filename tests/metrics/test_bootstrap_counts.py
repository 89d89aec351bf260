from __future__ import annotations

import numpy as np
import pytest
from explicit_replicates import table_of

from facenet_lit.metrics import bootstrap_counts
from facenet_lit.metrics.bootstrap_counts import Replicates
from facenet_lit.metrics.bootstrap_table import PAST


def made(seed: int = 0) -> tuple[list[tuple[int, int, int]], np.ndarray]:
    generator = np.random.default_rng(seed)
    pairs = [tuple(map(int, p)) for p in zip(*generator.integers(0, [[60], [6], [6]], (3, 150)), strict=True)]
    return pairs, generator.integers(0, 5, (6, 9)).astype(np.uint8)


def weights(pairs, column, low: int, high: int) -> list[float]:
    """Of impostor pairs, genuine pairs, and genuine pairs balanced, at distances from low to before high."""
    there = [(i, j) for d, i, j in pairs if low <= d < high]
    pairs_of = np.bincount([i for _, i, j in pairs if i == j], minlength=6)
    counts = column.astype(int)
    return [
        sum(counts[i] * counts[j] for i, j in there if i != j),
        sum(counts[i] for i, j in there if i == j),
        sum(counts[i] / pairs_of[i] for i, j in there if i == j),
    ]


@pytest.mark.parametrize("sparse", [0, 24, 10**9])
@pytest.mark.parametrize("row", [1, 8, 128])
def test_weights_are_those_of_a_loop(monkeypatch, sparse, row):
    monkeypatch.setattr(bootstrap_counts, "_SPARSE", sparse)
    monkeypatch.setattr(bootstrap_counts, "ROW", row)
    monkeypatch.setattr(bootstrap_counts, "_BLOCK", 4)
    pairs, counts = made()
    replicates = Replicates(table_of(pairs, 6), counts)
    cuts = np.array([0, 7, 7, 31, 59, PAST])
    below = replicates.below(cuts)
    between = replicates.between(cuts[1:], np.array([8, 2, 3]))
    for number, column in enumerate(counts.T):
        np.testing.assert_allclose(replicates.totals[:, number], weights(pairs, column, 0, PAST))
        for k, cut in enumerate(cuts):
            np.testing.assert_allclose(below[:, k, number], weights(pairs, column, 0, cut))
    for place, number in enumerate([8, 2, 3]):
        for k, cut in enumerate(cuts[2:]):
            np.testing.assert_allclose(between[:, k, place], weights(pairs, counts[:, number], 7, cut))


def test_pairs_between_two_thresholds_of_each_replicate():
    pairs, counts = made(1)
    low, high, chosen = np.array([3, 20, 59]), np.array([9, 41, 59]), np.array([4, 0, 7])
    steps, found = Replicates(table_of(pairs, 6), counts).pairs_between((low, high), chosen)
    for row, number in enumerate(chosen):
        for distance in range(60):
            inside = low[row] <= distance < high[row]
            expected = weights(pairs, counts[:, number], distance, distance + 1) if inside else [0, 0, 0]
            np.testing.assert_allclose(found[:, row, steps[row] == distance].sum(1), expected)
    assert not found[:, steps < 0].any()


def test_many_copies_are_counted_without_rounding():
    """In float32 the weights of so many copies would be rounded, and in bytes they would run over."""
    pairs = [(k % 7, 0, 1 + k % 2) for k in range(9000)] + [(3, 2, 2)]
    counts = np.array([[200], [201], [99]], np.uint32)
    assert Replicates(table_of(pairs, 3), counts).totals[0, 0] == 4500 * 200 * 201 + 4500 * 200 * 99
