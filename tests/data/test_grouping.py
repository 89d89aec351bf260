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
    assert groups.images(np.arange(len(codes))).tolist() == np.argsort(codes, kind="stable").tolist()
    assert (groups.listed is None) == (np.diff(codes) >= 0).all()


@given(st.lists(st.integers(0, 3) | st.sampled_from([65535, 65536, 65537, 2**20, 2**33, 2**48 + 1])))
def test_sorting_is_stable(values: list[int]) -> None:
    codes = np.array(values, np.int64)
    assert stable_order(codes).tolist() == np.argsort(codes, kind="stable").tolist()


def test_positions_are_small_until_they_do_not_fit() -> None:
    identities = np.arange(70_000) // 2
    assert group_images(identities).codes.dtype == stable_order(identities).dtype == np.int32
    assert grouping._small(np.arange(3), 2**31).dtype == np.int64


@given(st.lists(st.integers(1, 9), min_size=2, max_size=30).filter(lambda counts: max(counts) > 1))
def test_parts_are_all_groups_in_turn_some_images_at_a_time(counts: list[int]) -> None:
    groups = group_images(np.repeat(np.arange(len(counts)), counts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "_PART", 5)
        parts = list(groups.parts())
    assert list(itertools.chain(*(range(len(counts))[part] for part in parts))) == list(range(len(counts)))
    assert all(groups.counts[part][:-1].sum() < 5 for part in parts)


@pytest.mark.parametrize("part", [grouping._PART, 1, 3])
def test_every_order_within_a_group_is_as_likely(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "_PART", part)
    groups = group_images(np.array([5, 2, 5, 5, 2]))
    rng = np.random.default_rng(0)
    seen = Counter(tuple(shuffle_groups(groups, rng).tolist()) for _ in range(6000))
    assert {order[:2] for order in seen} == {(1, 4), (4, 1)}
    assert len(seen) == 2 * 6
    assert all(abs(count - 500) < 5 * 500**0.5 for count in seen.values())


def test_equal_random_bits_favour_no_order() -> None:
    """With three random bits nearly half of the draws are done again."""
    own, rng = np.array([0, 0, 0, 1, 1]), np.random.default_rng(0)
    seen = Counter(tuple(grouping._by_random_bits(own, 3, 3, rng).tolist()) for _ in range(6000))
    assert len(seen) == 6 * 2
    assert all(abs(count - 500) < 5 * 500**0.5 for count in seen.values())


def test_groups_too_large_for_random_bits() -> None:
    identities = np.arange(1_300_000) % 1_200_000 // 1_199_999  # 1 for one image, 0 for the others
    groups = group_images(identities)
    order = shuffle_groups(groups, np.random.default_rng(0))
    assert np.array_equal(np.sort(order), np.arange(len(order)))
    assert identities[order].tolist() == [0] * (len(order) - 1) + [1]
    assert (np.diff(order) == 1).mean() < 1e-4
