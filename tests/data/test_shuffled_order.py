"""Orders drawn without a table: permutations, any part of which is the same by itself, and as good as shuffled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from facenet_lit.data import shuffled_order
from facenet_lit.data.shuffled_order import ShuffledOrder

LARGE = 100_000


def drawn(count: int, seed: int = 0, few: int = 0) -> ShuffledOrder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shuffled_order, "_FEW", few)
        return ShuffledOrder(count, np.random.default_rng(seed))


@given(st.integers(0, 300), st.integers(0, 99), st.sampled_from([0, 100]))
@settings(deadline=None)
def test_every_number_comes_once(count: int, seed: int, few: int) -> None:
    order = drawn(count, seed, few)
    assert len(order) == count
    assert sorted(order[:].tolist()) == list(range(count))


@given(
    st.integers(1, LARGE), st.integers(-LARGE, 2 * LARGE), st.integers(-LARGE, 2 * LARGE), st.integers(0, 9)
)
@settings(deadline=None, max_examples=20)
def test_a_part_is_that_of_the_whole(count: int, first: int, last: int, seed: int) -> None:
    order = drawn(count, seed)
    assert np.array_equal(order[first:last], order[:][first:last])


def test_a_table_is_what_numpy_shuffles() -> None:
    order = ShuffledOrder(50, np.random.default_rng(3), np.int32)
    assert order[:].dtype == np.int32
    assert np.array_equal(order[:], np.random.default_rng(3).permutation(50))


@pytest.mark.parametrize("count", [5, 12, 33])
def test_a_number_goes_anywhere_as_likely(count: int) -> None:
    seeds = 1000
    firsts, lasts = np.array([drawn(count, seed)[:][[0, -1]] for seed in range(seeds)]).T
    for ends, places in ((firsts, count), (lasts, count), ((lasts - firsts) % count - 1, count - 1)):
        assert stats.chisquare(np.bincount(ends, minlength=places)).pvalue > 1e-4


def test_neighbours_go_apart_and_few_stay() -> None:
    order = drawn(LARGE)[:]
    assert abs(stats.spearmanr(order[:-1], order[1:]).statistic) < 5 / LARGE**0.5
    assert abs(stats.spearmanr(np.arange(LARGE), order).statistic) < 5 / LARGE**0.5
    # Of a random permutation the numbers that stay, and those that swap with their neighbour, are Poisson's of mean 1.
    staying = [int((drawn(LARGE, seed)[:] == np.arange(LARGE)).sum()) for seed in range(20)]
    assert stats.poisson(20).cdf(sum(staying)) > 1e-4
    assert stats.poisson(20).sf(sum(staying)) > 1e-4
    steps = np.bincount((np.diff(order) % LARGE) * 50 // LARGE, minlength=50)
    assert stats.chisquare(steps).pvalue > 1e-4


def test_orders_of_two_seeds_have_nothing_in_common() -> None:
    one, other = drawn(LARGE, 1)[:], drawn(LARGE, 2)[:]
    assert (one == other).sum() < 12
    assert abs(stats.spearmanr(one, other).statistic) < 5 / LARGE**0.5


def test_tens_of_billions_need_no_memory() -> None:
    order = drawn(1 << 40)
    assert len(np.unique(order[1 << 39 : (1 << 39) + 5000])) == 5000
