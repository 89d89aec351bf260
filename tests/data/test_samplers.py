from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from facenet_lit.batch import BatchPlan, IntArray
from facenet_lit.data.samplers import IdentitySampler, TripletSampler
from facenet_lit.data.triplets import NEGATIVE_RULES, REMOVAL_RULES, draw_triplets
from facenet_lit.errors import UserError


def table(sizes: list[int], seed: int = 0) -> tuple[IntArray, IntArray]:
    """Identities of the given sizes, shuffled, with image numbers that are neither dense nor sorted."""
    rng = np.random.default_rng(seed)
    identities = rng.permutation(np.repeat(100 + 7 * np.arange(len(sizes)), sizes))
    return identities, 1000 + 3 * rng.permutation(len(identities))


def assert_same_plans(first: list[BatchPlan], second: list[BatchPlan]) -> None:
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert (one.epoch, one.batch) == (other.epoch, other.batch)
        np.testing.assert_array_equal(one.numbers, other.numbers)


# Sizes with at least a genuine and an impostor pair.
usable_sizes = st.lists(st.integers(1, 6), min_size=2, max_size=25).filter(lambda sizes: max(sizes) > 1)


@given(
    usable_sizes,
    st.integers(1, 8),
    st.sampled_from(REMOVAL_RULES),
    st.sampled_from(NEGATIVE_RULES),
    st.integers(0, 9),
)
@settings(max_examples=80, deadline=None)
def test_triplet_batches_are_the_draw_cut_in_pieces(
    sizes: list[int], per_batch: int, removal: str, negatives: str, epoch: int
) -> None:
    identities, numbers = table(sizes)
    sampler = TripletSampler(identities, numbers, 3 * per_batch, removal, negatives, seed=4)
    plans = list(sampler.plans(epoch))
    assert len(plans) == len(sampler)
    assert [(plan.epoch, plan.batch) for plan in plans] == [(epoch, index) for index in range(len(plans))]
    assert all(len(plan.numbers) == 3 * per_batch for plan in plans[:-1])
    assert 0 < len(plans[-1].numbers) <= 3 * per_batch
    for plan in plans:
        assert plan.triplets is not None
        assert plan.triplets.ravel().tolist() == list(range(len(plan.numbers)))
    found = np.concatenate([plan.numbers[plan.triplets] for plan in plans])
    np.testing.assert_array_equal(found, numbers[draw_triplets(identities, removal, negatives, 4, epoch)])


@given(
    usable_sizes,
    st.integers(1, 6),
    st.integers(2, 5),
    st.integers(0, 6),
    st.integers(0, 2**32),
    st.integers(1, 5),
)
@settings(max_examples=200, deadline=None)
def test_identity_batches_hold_what_they_promise(
    sizes: list[int], p: int, k: int, s: int, seed: int, epochs: int
) -> None:
    alone = sizes.count(1)
    assume(p > 1 or min(s, alone) > 0)
    identities, numbers = table(sizes, seed)
    identity_of = dict(zip(numbers.tolist(), identities.tolist(), strict=True))
    size_of = Counter(identities.tolist())
    sampler = IdentitySampler(identities, numbers, p * k + s, p, k, s, seed)
    s = min(s, alone)  # a batch can't hold more than there are
    visited = {number: 0 for number, identity in identity_of.items() if size_of[identity] == 1}
    for epoch in range(epochs):
        seen: Counter[int] = Counter()
        for plan in sampler.plans(epoch):
            assert plan.triplets is None
            rows = [identity_of[number] for number in plan.numbers.tolist()]
            order = list(dict.fromkeys(rows))
            several = [identity for identity in order if size_of[identity] > 1]
            # Contiguous rows, singles at the end; a full batch has P identities and P K + S rows.
            assert [identity for identity in rows if size_of[identity] > 1] == rows[
                : len(rows) - alone_in(rows, size_of)
            ]
            assert rows == sorted(rows, key=order.index)
            assert len(several) == min(p, len([size for size in sizes if size > 1]) - plan.batch * p)
            assert len(rows) == len(several) * k + s
            singles = [number for number in plan.numbers.tolist() if number in visited]
            assert len(set(singles)) == len(singles)
            empty = 0
            for identity in several:
                images = Counter(
                    number for number in plan.numbers.tolist() if identity_of[number] == identity
                )
                size = size_of[identity]
                assert len(images) == min(k, size)
                assert max(images.values()) - min(images.values()) <= 1  # repeated in turn
                assert sum(images.values()) <= k
                empty += max(k - size, 0)
            assert len(singles) == min(s + empty, alone)
            for number in singles:
                visited[number] += 1
            if visited:
                assert max(visited.values()) - min(visited.values()) <= 1  # each before any comes twice
            seen.update(several)
        assert seen == {identity: 1 for identity, size in size_of.items() if size > 1}


def alone_in(rows: list[int], size_of: Counter[int]) -> int:
    return sum(size_of[identity] == 1 for identity in rows)


@pytest.mark.parametrize("cut", [5, 3])
def test_a_later_epoch_does_not_depend_on_what_was_asked_before(cut: int) -> None:
    # With so few singles some batches need more than there are: how many are used depends on the draw.
    identities, numbers = table([2, 2, 3, 5, 6, 2, 1, 1, 1][: cut + 4])
    arguments = (identities, numbers, 9, 2, 4, 1, 3)
    walked, fresh = IdentitySampler(*arguments), IdentitySampler(*arguments)
    epochs = [list(walked.plans(epoch)) for epoch in range(6)]
    assert_same_plans(list(fresh.plans(5)), epochs[5])
    assert_same_plans(list(fresh.plans(2)), epochs[2])
    assert_same_plans(list(walked.plans(0)), epochs[0])


def samplers(seed: int) -> list[TripletSampler | IdentitySampler]:
    identities, numbers = table([4] * 20 + [1] * 11)
    return [
        TripletSampler(identities, numbers, 15, seed=seed),
        IdentitySampler(identities, numbers, 17, 5, 3, 2, seed=seed),
    ]


@pytest.mark.parametrize("which", [0, 1])
def test_epochs_and_seeds_differ_and_repeat(which: int) -> None:
    sampler = samplers(0)[which]
    first = list(sampler)
    assert_same_plans(list(sampler), first)
    assert_same_plans(list(samplers(0)[which]), first)
    assert len(first) == len(sampler)
    assert all(plan.epoch == 0 for plan in first)
    sampler.set_epoch(4)
    later = list(sampler)
    assert_same_plans(list(sampler.plans(4)), later)
    assert all(plan.epoch == 4 for plan in later)
    for other in (later, list(samplers(1)[which])):
        assert any(
            not np.array_equal(one.numbers, two.numbers) for one, two in zip(first, other, strict=True)
        )


def test_images_and_identities_are_drawn_uniformly() -> None:
    identities, numbers = table([4, 4, 4, 4])
    identity_of = dict(zip(numbers.tolist(), identities.tolist(), strict=True))
    sampler = IdentitySampler(identities, numbers, 4, 2, 2, 0)
    images: Counter[int] = Counter()
    together: Counter[frozenset[int]] = Counter()
    for epoch in range(1500):
        for plan in sampler.plans(epoch):
            images.update(plan.numbers.tolist())
            together[frozenset(identity_of[number] for number in plan.numbers.tolist())] += 1
    # In 1500 epochs an image is drawn with chance 1/2, 750 +- 19.4; two people meet with 1/3, 500 +- 18.3.
    assert len(images) == 16
    assert all(abs(count - 750) < 5 * 19.4 for count in images.values())
    assert len(together) == 6
    assert all(abs(count - 500) < 5 * 18.3 for count in together.values())


def test_short_identities_without_enough_singles_repeat_their_images_in_turn() -> None:
    identities = np.array([5, 5, 8, 8, 8, 9])
    sampler = IdentitySampler(identities, np.arange(6), 10, 2, 5, 0)
    (plan,) = sampler.plans(0)
    rows = plan.numbers.tolist()
    # Five empty rows, one single: nine rows are left to the two people, whose images come round in order.
    assert rows[-1] == 5
    for images in ([row for row in rows if row < 2], [row for row in rows if 2 <= row < 5]):
        period = len(set(images))
        assert images == [images[place % period] for place in range(len(images))]
    assert len(rows) == 10


def test_short_identities_may_fill_their_rows_with_views_of_their_images() -> None:
    identities = np.array([0, 0, 1, 1, 1, 2, 3, 4, 5])
    sampler = IdentitySampler(identities, np.arange(9), 9, 2, 4, 1, short="views")
    singles = []
    for epoch in range(4):
        (plan,) = sampler.plans(epoch)
        rows = identities[plan.numbers]
        assert sorted(rows[:8]) == [0, 0, 0, 0, 1, 1, 1, 1]
        counts = Counter(plan.numbers[:8].tolist())
        assert [counts[image] for image in (0, 1)] == [2, 2]
        assert sorted(counts[image] for image in (2, 3, 4)) == [1, 1, 2]
        singles.append(int(plan.numbers[8]))
    assert sorted(singles) == [5, 6, 7, 8]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"batch_size": 224}, r"data.batch_size=224: sampler=triplets .* set data.batch_size=222 or 225"),
        ({"batch_size": 0}, r"data.batch_size=0: expected an integer of 3 or more"),
        ({"batch_size": 3.0}, "data.batch_size"),
        ({"removal": "neither"}, "sampler.removal"),
        ({"negatives": "near"}, "sampler.negatives"),
        ({"seed": -1}, "seed=-1"),
        ({"identities": np.array([1, 1, 1])}, "training images"),
    ],
)
def test_triplet_sampler_names_what_is_wrong(arguments: dict[str, Any], text: str) -> None:
    good: dict[str, Any] = {"identities": np.array([1, 1, 2]), "numbers": np.arange(3), "batch_size": 3}
    TripletSampler(**good)
    with pytest.raises(UserError, match=text):
        TripletSampler(**good | arguments)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            {"batch_size": 6},
            r"data.batch_size=6: .* sampler.identities \* sampler.images \+ sampler.singles = 2 \* 2 \+ 1",
        ),
        (
            {"batch_size": 2, "identities_per_batch": 1, "singles": 0},
            r"sampler.identities=1: .* no row is negative",
        ),
        ({"identities_per_batch": 0}, "sampler.identities=0"),
        ({"images_per_identity": 1}, "sampler.images=1"),
        ({"singles": -1}, "sampler.singles=-1"),
        ({"short": "nothing"}, "sampler.short=nothing"),
        ({"seed": -1}, "seed=-1"),
        ({"identities": np.arange(5)}, "training images"),
    ],
)
def test_identity_sampler_names_what_is_wrong(arguments: dict[str, Any], text: str) -> None:
    good: dict[str, Any] = {
        "identities": np.array([1, 1, 2, 2, 3]),
        "numbers": np.arange(5),
        "batch_size": 5,
        "identities_per_batch": 2,
        "images_per_identity": 2,
        "singles": 1,
    }
    IdentitySampler(**good)
    with pytest.raises(UserError, match=text):
        IdentitySampler(**good | arguments)


@pytest.mark.parametrize("most", [0, -1, 2.5, "all"])
def test_a_limit_of_triplets_is_a_whole_number(most: object) -> None:
    with pytest.raises(UserError, match=r"^sampler\.max_per_identity=.*expected an integer of 1 or more"):
        TripletSampler(np.array([0, 0, 1]), np.arange(3), 3, max_per_identity=most)


def test_a_person_has_no_more_triplets_than_the_limit() -> None:
    identities = np.array([0] * 30 + [1] * 3 + [2])
    sampler = TripletSampler(identities, np.arange(34), 6, removal="none", max_per_identity=4)
    anchors = np.concatenate([plan.numbers[::3] for plan in sampler.plans(0)])
    assert np.bincount(identities[anchors], minlength=3).tolist() == [4, 3, 0]
    assert len(sampler) == 4  # 7 triplets, two to a batch
