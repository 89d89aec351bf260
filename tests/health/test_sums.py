import math

import pytest
import torch

from facenet_lit.batch import Rows, ScoredBatch
from facenet_lit.health.sums import Sums


def scored(loss: float, active: int, considered: int, apart: float = 1.0) -> ScoredBatch:
    """Two rows, ``apart`` from their mean."""
    embeddings = torch.tensor([[(1 - apart**2) ** 0.5, apart], [(1 - apart**2) ** 0.5, -apart]])
    return ScoredBatch(
        Rows(embeddings, torch.arange(2), torch.arange(2)),
        torch.tensor(loss),
        torch.tensor(active),
        torch.tensor(considered),
    )


def test_mean_loss_and_share_over_batches() -> None:
    sums = Sums()
    first = scored(0.1, 3, 10)
    for batch in (first, scored(0.4, 0, 30), scored(0.1, 1, 0)):
        sums.add(batch)
    assert sums.batches == 3
    assert sums.loss == pytest.approx(0.2)
    assert sums.active_share == 4 / 40
    assert float(first.loss) == pytest.approx(0.1)  # as it was
    assert int(first.active) == 3


def test_nothing_considered_is_no_share() -> None:
    sums = Sums()
    assert math.isnan(sums.loss)
    sums.add(scored(0, 0, 0))
    assert (sums.loss, sums.active_share) == (0, None)


def test_one_nan_in_between_is_not_lost() -> None:
    sums = Sums()
    for loss in (0.1, math.nan, 0.1):
        sums.add(scored(loss, 1, 2))
    assert math.isnan(sums.loss)


def test_the_least_spread_is_kept() -> None:
    sums = Sums()
    assert sums.least_spread == math.inf
    for apart in (0.5, 0.03, 1.0):
        sums.add(scored(0.2, 1, 2, apart))
    assert sums.least_spread == pytest.approx(0.03, abs=1e-3)
    sums.add(scored(0.2, 1, 2, math.nan))
    assert math.isnan(sums.least_spread)
