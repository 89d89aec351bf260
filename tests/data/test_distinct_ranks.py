"""Distinct ranks, and pairs by their ranks."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from facenet_lit.data.distinct_ranks import distinct_ranks, pairs_by_rank


@given(st.lists(st.integers(0, 30), max_size=20), st.integers(1, 12) | st.none(), st.integers(0, 1000))
@settings(max_examples=100, deadline=None)
def test_every_group_gets_distinct_numbers_below_its_total(
    totals: list[int], most: int | None, seed: int
) -> None:
    ranks = distinct_ranks(np.array(totals, np.int64), most, np.random.default_rng(seed)).tolist()
    for total in totals:
        count = total if most is None else min(total, most)
        own, ranks = ranks[:count], ranks[count:]
        assert len(set(own)) == count
        assert all(0 <= rank < total for rank in own)
        if count == total:
            assert own == list(range(total))
    assert not ranks


def test_every_subset_is_as_likely() -> None:
    draws, total, most = 20_000, 6, 3
    ranks = distinct_ranks(np.full(draws, total), most, np.random.default_rng(1)).reshape(draws, most)
    found = Counter(tuple(sorted(each)) for each in ranks.tolist())
    subsets = list(combinations(range(total), most))
    assert set(found) <= set(subsets)
    assert chisquare([found[subset] for subset in subsets]).pvalue > 1e-4


def test_a_total_far_too_large_to_list() -> None:
    ranks = distinct_ranks(np.array([2**45, 3]), 1000, np.random.default_rng(0))
    assert len(np.unique(ranks[:1000])) == 1000
    assert ranks[1000:].tolist() == [0, 1, 2]
    assert 0.3 < np.median(ranks[:1000]) / 2**45 < 0.7


def test_pairs_are_listed_by_their_second_number() -> None:
    listed = [(first, second) for second in range(60) for first in range(second)]
    first, second = pairs_by_rank(np.arange(len(listed)))
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == listed


@given(st.integers(1, 30_000_000), st.data())
@settings(max_examples=200, deadline=None)
def test_large_ranks_are_taken_apart_exactly(second: int, data: st.DataObject) -> None:
    first = data.draw(st.sampled_from([0, second - 1]) | st.integers(0, second - 1))
    rank = np.array([second * (second - 1) // 2 + first])
    assert [column.tolist() for column in pairs_by_rank(rank)] == [[first], [second]]
