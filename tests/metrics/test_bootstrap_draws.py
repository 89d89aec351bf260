from __future__ import annotations

import numpy as np
import pytest

from facenet_lit.metrics.bootstrap_draws import draw_counts


@pytest.mark.parametrize("identities", [1, 2, 50, 1711])
def test_as_many_are_drawn_as_there_are(identities):
    counts = draw_counts(identities, 40)
    assert counts.shape == (identities, 40)
    assert (counts.sum(0, dtype=np.int64) == identities).all()
    assert int(counts.max()) ** 2 <= np.iinfo(counts.dtype).max


def test_draws_are_the_seed_s_and_those_of_fewer_replicates_come_first():
    assert np.array_equal(draw_counts(30, 20), draw_counts(30, 20))
    assert np.array_equal(draw_counts(30, 20)[:, :5], draw_counts(30, 5))
    assert not np.array_equal(draw_counts(30, 20), draw_counts(30, 20, seed=1))


def test_counts_have_mean_and_variance_of_a_multinomial():
    counts = draw_counts(20, 20_000).astype(float)
    np.testing.assert_allclose(counts.mean(1), 1, atol=0.04)
    np.testing.assert_allclose(counts.var(1), 19 / 20, atol=0.06)
    assert np.corrcoef(counts[0], counts[1])[0, 1] == pytest.approx(-1 / 19, abs=0.03)
