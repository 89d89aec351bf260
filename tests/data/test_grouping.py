import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.data import grouping
from facenet_lit.data.grouping import group_images, shuffle_groups, stable_order
from facenet_lit.errors import UserError


@given(
    st.lists(st.integers(-3, 6), min_size=3, max_size=30)
    | st.lists(st.sampled_from([-(2**60), 0, 2**60, 7])),
)
def test_groups_are_those_of_numpy(identities: list[int]) -> None:
    _, codes, counts = np.unique(np.array(identities, np.int64), return_inverse=True, return_counts=True)
    if len(counts) < 2 or counts.max() < 2:
        with pytest.raises(UserError, match="expected two or more identities"):
            group_images(np.array(identities, np.int64))
        return
    groups = group_images(np.array(identities, np.int64))
    assert groups.codes.tolist() == codes.reshape(-1).tolist()
    assert groups.counts.tolist() == counts.tolist()
    assert groups.starts.tolist() == [0, *itertools.accumulate(counts.tolist())][:-1]


@given(st.lists(st.integers(0, 3) | st.sampled_from([65535, 65536, 65537, 2**20, 2**33, 2**48 + 1])))
def test_sorting_is_stable(values: list[int]) -> None:
    codes = np.array(values, np.int64)
    assert stable_order(codes).tolist() == np.argsort(codes, kind="stable").tolist()


def test_positions_are_small_until_they_do_not_fit() -> None:
    identities = np.arange(70_000) // 2
    assert group_images(identities).codes.dtype == stable_order(identities).dtype == np.int32
    assert grouping._small(np.arange(3), 2**31).dtype == np.int64


def test_every_order_within_a_group_is_as_likely() -> None:
    groups = group_images(np.array([5, 2, 5, 5, 2]))
    rng = np.random.default_rng(0)
    seen = Counter(tuple(shuffle_groups(groups, rng).tolist()) for _ in range(6000))
    assert {order[:2] for order in seen} == {(1, 4), (4, 1)}
    assert len(seen) == 2 * 6
    assert all(abs(count - 500) < 5 * 500**0.5 for count in seen.values())


def test_equal_random_bits_favour_no_order() -> None:
    """With three random bits nearly half of the draws are done again."""
    groups = group_images(np.array([0, 0, 0, 1, 1]))
    rng = np.random.default_rng(0)
    seen = Counter(tuple(grouping._shuffled_places(groups, 2, 3, rng).tolist()) for _ in range(6000))
    assert len(seen) == 6 * 2
    assert all(abs(count - 500) < 5 * 500**0.5 for count in seen.values())


def test_groups_too_large_for_random_bits() -> None:
    identities = np.arange(1_300_000) % 1_200_000 // 1_199_999  # 1 for one image, 0 for the others
    groups = group_images(identities)
    order = shuffle_groups(groups, np.random.default_rng(0))
    assert np.array_equal(np.sort(order), np.arange(len(order)))
    assert identities[order].tolist() == [0] * (len(order) - 1) + [1]
    assert (np.diff(order) == 1).mean() < 1e-4
