from __future__ import annotations

from fractions import Fraction

import numpy as np

from facenet_lit.metrics.ordered_distances import SortedDistances
from facenet_lit.metrics.scored_pairs import ScoredPairs
from facenet_lit.metrics.weighed_distances import WeighedDistances


def test_counts_are_of_the_distances_below():
    few, many = (SortedDistances(np.array(numbers, np.float32)) for numbers in ([1, 2], [1.5]))
    counts = WeighedDistances(((3, few), (2**70, many)))
    assert counts.total == 6 + 2**70
    assert counts.accepted([1, 1.5, 2, 9]).tolist() == [0, 3, 3 + 2**70, 6 + 2**70]
    assert counts.accepted_at(2.0) == 3 + 2**70


def test_weights_stay_exact_where_their_common_multiple_passes_64_bits():
    identities = np.repeat(np.arange(1, 61), np.arange(1, 61))  # identity i has i genuine pairs
    distances = np.arange(len(identities)) % 7
    counts = ScoredPairs.of(distances, identities, []).genuine_counts(balanced=True)
    below = sum(Fraction(1, int(i)) for i, d in zip(identities, distances, strict=True) if d < 3)
    assert counts.total > 2**64
    assert Fraction(int(counts.accepted(3.0)[0]), counts.total) == below / 60
