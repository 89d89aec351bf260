from __future__ import annotations

import numpy as np
import pytest
from explicit_replicates import table_of

from facenet_lit.metrics.bootstrap_counts import Replicates
from facenet_lit.metrics.bootstrap_draws import draw_counts
from facenet_lit.metrics.bootstrap_search import Search, enclose
from facenet_lit.metrics.bootstrap_table import PAST


class Share(Search):
    """Holds where more than a share of the genuine pairs is accepted."""

    def __init__(self, share: float) -> None:
        self.share = share

    def excess(self, accepted, totals):
        return accepted[1] / np.maximum(totals[1], 1) - self.share - 1e-9


@pytest.mark.parametrize("distances", [1, 5, 5000])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_both_sides_of_a_threshold_that_is_sought(distances, share):
    generator = np.random.default_rng(distances)
    pairs = [
        tuple(map(int, p))
        for p in zip(*generator.integers(0, [[distances], [8], [8]], (3, 900)), strict=True)
    ]
    replicates = Replicates(table_of(pairs, 8), draw_counts(8, 30))
    (found,) = enclose(replicates, [Share(share)])
    every = replicates.below(np.array([0, *sorted({d + 1 for d, *_ in pairs}), PAST]))  # (3, K, R)
    holds = Share(share).excess(every, replicates.totals) >= 0
    for number in range(30):
        first = int(holds[:, number].argmax()) if holds[:, number].any() else None
        before = every[:, -1 if first is None else first - 1, number]
        after = every[:, -1 if first is None else first, number]
        np.testing.assert_allclose(found.before[:, number], before)
        np.testing.assert_allclose(found.after[:, number], after)
