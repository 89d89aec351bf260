from __future__ import annotations

from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import combinations, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from facenet_lit.batch import IntArray
from facenet_lit.data import grouping
from facenet_lit.data.triplets import NEGATIVE_RULES, REMOVAL_RULES, count_triplets, draw_triplets
from facenet_lit.errors import UserError
from facenet_lit.sources.lfw import LFWSource

ALPHA = 1e-4
Pair = tuple[int, int]
Pairs = tuple[Pair, ...]

# Identities with any numbers for names, in any order; at least a genuine and an impostor pair.
tables = (
    st.lists(st.sampled_from([-7, 0, 3, 10**12, 5]), min_size=3, max_size=40)
    .filter(lambda names: 1 < len(set(names)) < len(names))
    .map(lambda names: np.array(names, dtype=np.int64))
)


def count_by_loop(identities: IntArray, removal: str, most: int = 10**9) -> int:
    """Runs the plain loop, whose length does not depend on what it draws."""
    total = 0
    for size in Counter(identities.tolist()).values():
        if removal == "none":
            total += min(len(list(combinations(range(size), 2))), most)
            continue
        pool, drawn = list(range(size)), 0
        while len(pool) >= 2 and drawn < most:
            drawn += 1
            pool = pool[2:] if removal == "both" else pool[1:]
        total += drawn
    return total


@cache
def exact_pairs(pool: tuple[int, ...], removal: str) -> dict[Pairs, Fraction]:
    """Probability of every set of (anchor, positive) pairs that the plain loop can draw from a pool."""
    if removal == "none":
        both_ways = [((a, b), (b, a)) for a, b in combinations(pool, 2)]
        outcomes = [tuple(sorted(pairs)) for pairs in product(*both_ways)]
        return {pairs: Fraction(1, len(outcomes)) for pairs in outcomes}
    if len(pool) < 2:
        return {(): Fraction(1)}
    found: dict[Pairs, Fraction] = {}
    for anchor, positive in permutations(pool, 2):
        leaves = {"positive": (positive,), "anchor": (anchor,), "both": (anchor, positive)}[removal]
        rest = tuple(image for image in pool if image not in leaves)
        for pairs, chance in exact_pairs(rest, removal).items():
            outcome = tuple(sorted(((anchor, positive), *pairs)))
            found[outcome] = found.get(outcome, Fraction(0)) + chance / (len(pool) * (len(pool) - 1))
    return found


def assert_distributed(observed: Counter, exact: dict, draws: int) -> None:
    """Chi-square test of outcomes against their exact probabilities, every one of them in a cell."""
    assert sum(exact.values()) == 1
    assert set(observed) <= set(exact)
    expected = np.array([float(chance) * draws for chance in exact.values()])
    assert expected.min() >= 5
    if len(exact) > 1:
        found = np.array([observed[outcome] for outcome in exact])
        assert chisquare(found, expected * (draws / expected.sum())).pvalue > ALPHA


@given(
    tables,
    st.sampled_from(REMOVAL_RULES),
    st.sampled_from(NEGATIVE_RULES),
    st.integers(0, 2**40),
    st.sampled_from([None, 1, 2, 3, 10, 10**6]),
)
@settings(max_examples=200, deadline=None)
def test_triplets_are_valid_and_as_many_as_the_loop_draws(
    identities: IntArray, removal: str, negatives: str, seed: int, most: int | None
) -> None:
    drawn = draw_triplets(identities, removal, negatives, seed, 3, most)
    assert drawn.shape == (count_by_loop(identities, removal, most or 10**9), 3)
    assert drawn.dtype == np.int32  # enough for as few
    assert count_triplets(identities, removal, most) == len(drawn)
    anchor, positive, negative = identities[drawn].T
    assert (anchor == positive).all()
    assert (drawn[:, 0] != drawn[:, 1]).all()
    assert (anchor != negative).all()


@given(tables, st.sampled_from(NEGATIVE_RULES), st.integers(0, 100), st.sampled_from([None, 1, 4]))
@settings(max_examples=60, deadline=None)
def test_what_has_left_is_not_drawn_again(
    identities: IntArray, negatives: str, seed: int, most: int | None
) -> None:
    drawn = {rule: draw_triplets(identities, rule, negatives, seed, 0, most) for rule in REMOVAL_RULES}
    assert len(set(drawn["positive"][:, 1])) == len(drawn["positive"])
    assert len(set(drawn["anchor"][:, 0])) == len(drawn["anchor"])
    assert len(set(drawn["both"][:, :2].ravel())) == 2 * len(drawn["both"])
    unordered = {frozenset(pair) for pair in drawn["none"][:, :2].tolist()}
    assert len(unordered) == len(drawn["none"])


@pytest.mark.parametrize("size", [2, 3, 4, 5])
@pytest.mark.parametrize("removal", REMOVAL_RULES)
def test_joint_distribution_of_pairs_is_that_of_the_plain_loop(removal: str, size: int) -> None:
    exact = exact_pairs(tuple(range(size)), removal)
    people = max(2000, int(8 / min(exact.values())))
    identities = np.arange(people * size) % people  # image i is the (i // people)-th of person i % people
    drawn = draw_triplets(identities, removal, "identity", seed=11, epoch=0)
    person, places = drawn[:, 0] % people, drawn[:, :2] // people
    pairs = places[:, 0] * size + places[:, 1]
    rows = pairs[np.lexsort([pairs, person])].reshape(people, -1)  # one person's pairs, sorted, in each row
    outcomes, times = np.unique(rows, axis=0, return_counts=True)
    observed = Counter(
        {
            tuple(divmod(pair, size) for pair in outcome): count
            for outcome, count in zip(outcomes.tolist(), times.tolist(), strict=True)
        }
    )
    assert_distributed(observed, exact, people)


def exact_triplets(identities: IntArray, removal: str, negatives: str) -> dict[tuple, Fraction]:
    """Probability of every set of triplets of a whole table."""
    people = {name: tuple(np.flatnonzero(identities == name).tolist()) for name in set(identities.tolist())}
    tree = {(): Fraction(1)}
    for name, images in people.items():
        others = [other for key, other in people.items() if key != name]
        strangers = sum(len(other) for other in others)
        chances = {
            image: Fraction(1, strangers if negatives == "image" else len(others) * len(other))
            for other in others
            for image in other
        }
        grown: dict[tuple, Fraction] = {}
        for so_far, chance in tree.items():
            for pairs, pair_chance in exact_pairs(images, removal).items():
                for chosen in product(chances, repeat=len(pairs)):
                    triplets = tuple((*pair, image) for pair, image in zip(pairs, chosen, strict=True))
                    total = chance * pair_chance
                    for image in chosen:
                        total *= chances[image]
                    grown[so_far + triplets] = grown.get(so_far + triplets, Fraction(0)) + total
        tree = grown
    found: dict[tuple, Fraction] = {}
    for triplets, chance in tree.items():
        outcome = tuple(sorted(triplets))
        found[outcome] = found.get(outcome, Fraction(0)) + chance
    return found


@pytest.mark.parametrize("part", [grouping._PART, 2])
@pytest.mark.parametrize("negatives", NEGATIVE_RULES)
@pytest.mark.parametrize(
    ("removal", "identities"),
    [
        ("positive", [4, 1, 4, 1, 2]),
        ("anchor", [1, 1, 1, 2]),
        ("both", [1, 2, 2, 1, 1]),
        ("none", [1, 1, 2, 2, 3]),
    ],
)
def test_joint_distribution_of_whole_epochs_with_negatives(
    removal: str, identities: list[int], negatives: str, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "_PART", part)
    table = np.array(identities)
    exact = exact_triplets(table, removal, negatives)
    draws = max(1000, int(6 / min(exact.values())))
    observed = Counter(
        tuple(sorted(map(tuple, draw_triplets(table, removal, negatives, 5, epoch).tolist())))
        for epoch in range(draws)
    )
    assert_distributed(observed, exact, draws)


@pytest.mark.parametrize("negatives", NEGATIVE_RULES)
def test_negatives_are_drawn_by_their_rule(negatives: str) -> None:
    sizes = [30_000, 1, 4, 2]
    identities = np.repeat([9, 2, 7, 1], sizes)
    drawn = draw_triplets(identities, "positive", negatives, 3, 0)
    found = Counter(drawn[identities[drawn[:, 0]] == 9, 2].tolist())
    chances = {
        image: Fraction(1, 7) if negatives == "image" else Fraction(1, 3 * size)
        for image, size in zip(range(30_000, 30_007), [1, 4, 4, 4, 4, 2, 2], strict=True)
    }
    assert_distributed(found, chances, 29_999)


def test_triplets_come_in_shuffled_order() -> None:
    orders = Counter(
        tuple((draw_triplets(np.array([0, 0, 1, 1, 2, 2]), "both", "image", 0, epoch)[:, 0] // 2).tolist())
        for epoch in range(1500)
    )
    assert_distributed(orders, {order: Fraction(1, 6) for order in permutations(range(3))}, 1500)


@pytest.mark.parametrize("negatives", NEGATIVE_RULES)
@pytest.mark.parametrize("removal", REMOVAL_RULES)
def test_the_draw_depends_on_its_arguments_alone(removal: str, negatives: str) -> None:
    identities = np.repeat(np.arange(50), 4)
    before = identities.copy()
    drawn = draw_triplets(identities, removal, negatives, 1, 2)
    np.random.seed(0)  # noqa: NPY002 - the global state must not matter
    np.testing.assert_array_equal(draw_triplets(identities, removal, negatives, 1, 2), drawn)
    np.testing.assert_array_equal(identities, before)
    for seed, epoch in [(1, 3), (2, 2), (2, 1)]:
        assert not np.array_equal(draw_triplets(identities, removal, negatives, seed, epoch), drawn)


def test_names_of_identities_do_not_matter_beyond_their_order() -> None:
    identities = np.array([0, 2, 1, 1, 0, 2, 2])
    renamed = np.array([-5, 77, 10**15])[identities]
    np.testing.assert_array_equal(
        draw_triplets(identities, "positive", "image", 0, 0),
        draw_triplets(renamed, "positive", "image", 0, 0),
    )


@pytest.mark.parametrize("identities", [[], [1], [1, 1, 1], [1, 2, 3]])
def test_tables_without_both_kinds_of_pairs_are_refused(identities: list[int]) -> None:
    table = np.array(identities, dtype=np.int64)
    with pytest.raises(UserError, match=r"data: .* training images .* expected two or more identities"):
        draw_triplets(table, "positive", "identity", 0, 0)
    with pytest.raises(UserError, match="training images"):
        count_triplets(table, "positive")


def test_unknown_rules_are_named() -> None:
    table = np.array([0, 0, 1])
    with pytest.raises(UserError, match=r"sampler.removal=neither: expected one of positive, anchor"):
        draw_triplets(table, "neither", "identity", 0, 0)
    with pytest.raises(UserError, match=r"sampler.removal=neither"):
        count_triplets(table, "neither")
    with pytest.raises(UserError, match=r"sampler.negatives=near: expected one of identity, image"):
        draw_triplets(table, "positive", "near", 0, 0)


@pytest.mark.real_faces
def test_counts_of_whole_lfw(real_lfw: LFWSource) -> None:
    identities = real_lfw.identities
    assert len(identities) == 13_233
    assert len(set(identities.tolist())) == 5_749
    drawn = {rule: len(draw_triplets(identities, rule, "identity", 0, 0)) for rule in REMOVAL_RULES}
    assert drawn == {"positive": 7_484, "anchor": 7_484, "both": 4_307, "none": 242_257}


@pytest.mark.real_faces
def test_counts_of_the_development_people(real_lfw: LFWSource) -> None:
    people = np.isin(real_lfw.names, real_lfw.people("peopleDevTrain"))
    identities = real_lfw.identities[people[real_lfw.identities]]
    drawn = {rule: len(draw_triplets(identities, rule, "image", 0, 0)) for rule in REMOVAL_RULES[:3]}
    assert drawn == {"positive": 5_487, "anchor": 5_487, "both": 3_143}


@cache
def exact_first_pairs(pool: tuple[int, ...], removal: str, most: int) -> dict[Pairs, Fraction]:
    """Probability of every set of pairs that the plain loop draws before it is stopped."""
    found: dict[Pairs, Fraction] = {}
    if removal == "none":
        subsets = list(combinations(combinations(pool, 2), most))
        for subset in subsets:
            for turned in product(*(((a, b), (b, a)) for a, b in subset)):
                found[tuple(sorted(turned))] = Fraction(1, len(subsets) * 2**most)
        return found
    if most == 0 or len(pool) < 2:
        return {(): Fraction(1)}
    for anchor, positive in permutations(pool, 2):
        leaves = {"positive": (positive,), "anchor": (anchor,), "both": (anchor, positive)}[removal]
        rest = tuple(image for image in pool if image not in leaves)
        for pairs, chance in exact_first_pairs(rest, removal, most - 1).items():
            outcome = tuple(sorted(((anchor, positive), *pairs)))
            found[outcome] = found.get(outcome, Fraction(0)) + chance / (len(pool) * (len(pool) - 1))
    return found


@pytest.mark.parametrize(("size", "most"), [(4, 2), (5, 1)])
@pytest.mark.parametrize("removal", REMOVAL_RULES)
def test_joint_distribution_of_few_pairs_is_that_of_the_loop_stopped(
    removal: str, size: int, most: int
) -> None:
    exact = exact_first_pairs(tuple(range(size)), removal, most)
    people = max(2000, int(8 / min(exact.values())))
    identities = np.arange(people * size) % people
    drawn = draw_triplets(identities, removal, "identity", seed=5, epoch=1, most=most)
    pairs = [[] for _ in range(people)]
    for anchor, positive in drawn[:, :2].tolist():
        pairs[anchor % people].append((anchor // people, positive // people))
    observed = Counter(tuple(sorted(each)) for each in pairs)
    assert_distributed(observed, exact, people)
