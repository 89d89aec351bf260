from __future__ import annotations

import numpy as np

from facenet_lit.sources.drawing.ranges import uniform

RANGES = {"small": (0.0, 0.1), "negative": (-2.0, -1.0), "wide": (-5.0, 5.0)}


def test_values_fill_their_ranges_evenly():
    rng = np.random.default_rng(0)
    table = np.array([list(uniform(rng, RANGES).values()) for _ in range(2000)])
    for values, (low, high) in zip(table.T, RANGES.values(), strict=True):
        shares = (values - low) / (high - low)
        assert 0 <= shares.min() < 0.01
        assert 0.99 < shares.max() <= 1
        # Kolmogorov and Smirnov's distance from evenness, 2 over its 1% bound.
        assert np.abs(np.sort(shares) - np.arange(2000) / 2000).max() < 2 * 1.63 / np.sqrt(2000)


def test_values_keep_their_names_and_depend_on_the_generator_alone():
    first, again, other = (uniform(np.random.default_rng(seed), RANGES) for seed in (1, 1, 2))
    assert list(first) == list(RANGES)
    assert first == again
    assert all(first[name] != other[name] for name in RANGES)
