import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.data.splits import (
    PARTS,
    check_fold,
    check_folds,
    images_of,
    random_split,
    triplet_split,
    val_fold,
    view1_split,
    view2_split,
)
from facenet_lit.data.triplets import draw_triplets
from facenet_lit.errors import UserError
from facenet_lit.sources.lfw import LFWSource


@given(st.integers(20, 200), st.integers(0, 5))
def test_random_split_cuts_identities_into_three(identities: int, seed: int) -> None:
    table = np.repeat(np.arange(identities), 2)
    parts = random_split(table, seed)
    assert list(parts) == list(PARTS)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(identities))
    assert len(parts["val"]) == len(parts["test"]) == round(identities / 10)
    again = random_split(table, seed)
    assert all(np.array_equal(parts[part], again[part]) for part in PARTS)


def test_another_seed_gives_another_split() -> None:
    table = np.repeat(np.arange(100), 2)
    assert not np.array_equal(random_split(table, 0)["test"], random_split(table, 1)["test"])


@pytest.mark.parametrize(
    "table",
    [
        np.repeat(np.arange(10), 2),
        np.arange(100),
        np.concatenate([np.arange(100), np.arange(3)]),
        np.zeros(9, int),
    ],
)
def test_a_side_without_two_pairs_is_refused(table: np.ndarray) -> None:
    with pytest.raises(UserError, match="at least two such on each side"):
        random_split(table, 0)


def test_images_of_identities() -> None:
    table = np.array([0, 0, 1, 2, 2, 0])
    assert images_of(table, np.array([0, 2])).tolist() == [0, 1, 3, 4, 5]
    assert images_of(table, np.array([7])).tolist() == []


def view1(seed: int = 0, people: int = 60) -> tuple[np.ndarray, list[str], list[str], list[str]]:
    names = [f"p{number:03}" for number in range(people)]
    return np.repeat(np.arange(people), 2), names, names[: people * 2 // 3], names[people * 2 // 3 :]


def test_view1_takes_val_out_of_the_development_people() -> None:
    table, names, train, test = view1()
    parts = view1_split(table, names, train, test, seed=0)
    assert sorted(names[i] for i in parts["test"]) == test
    assert len(parts["val"]) == 4
    assert sorted(names[i] for i in np.concatenate([parts["train"], parts["val"]])) == train


def test_view1_does_not_depend_on_the_order_of_the_list() -> None:
    table, names, train, test = view1()
    one = view1_split(table, names, train, test, seed=3)
    other = view1_split(table, names, train[::-1], test[::-1], seed=3)
    assert all(np.array_equal(one[part], other[part]) for part in PARTS)


def test_view1_draws_val_by_the_seed_and_leaves_test_alone() -> None:
    table, names, train, test = view1()
    drawn = [view1_split(table, names, train, test, seed) for seed in range(5)]
    assert len({tuple(parts["val"].tolist()) for parts in drawn}) > 1
    for parts in drawn:
        assert np.array_equal(parts["test"], drawn[0]["test"])
        assert not set(parts["val"].tolist()) & set(parts["train"].tolist())


def test_view1_names_a_person_without_images() -> None:
    table, names, train, test = view1()
    with pytest.raises(UserError, match="Nobody"):
        view1_split(table, names, [*train, "Nobody"], test, seed=0)


@given(st.lists(st.integers(1, 6), min_size=12, max_size=30), st.integers(0, 5))
def test_parts_of_triplets_are_the_images_of_shuffled_triplets(counts: list[int], seed: int) -> None:
    table = np.repeat(np.arange(len(counts)), counts)
    total = sum(count - 1 for count in counts)
    if round(total * 0.1) == 0:
        return
    drawn = draw_triplets(table, "positive", "identity", seed, 0).tolist()
    tenth = round(total * 0.1)
    rows = {"val": drawn[:tenth], "test": drawn[tenth : 2 * tenth], "train": drawn[2 * tenth :]}
    parts = triplet_split(table, seed)
    assert list(parts) == list(PARTS)
    for part, numbers in parts.items():
        assert numbers.tolist() == sorted({image for row in rows[part] for image in row})
        assert len(np.unique(table[numbers])) >= 2  # of each triplet's, so that there are pairs of both kinds
        assert np.unique(table[numbers], return_counts=True)[1].max() >= 2


def test_too_few_triplets_for_three_parts() -> None:
    with pytest.raises(
        UserError, match=r"^data\.split=triplets: 2 triplets can be drawn; expected ten or more"
    ):
        triplet_split(np.array([0, 0, 1, 1]), 0)


def ten_folds(each: int = 3) -> tuple[np.ndarray, list[str], list[list[str]]]:
    names = [f"p{number:03}" for number in range(10 * each)]
    shuffled = np.random.default_rng(0).permutation(names).tolist()  # folds don't follow the names' order
    return np.repeat(np.arange(10 * each), 2), names, [shuffled[k * each : (k + 1) * each] for k in range(10)]


@pytest.mark.parametrize(("fold", "val"), [(1, 2), (4, 5), (9, 10), (10, 1)])
def test_view2_tests_on_a_fold_and_chooses_by_the_next(fold: int, val: int) -> None:
    table, names, folds = ten_folds()
    parts = view2_split(table, names, folds, fold)
    people = {part: sorted(names[i] for i in chosen) for part, chosen in parts.items()}
    assert people["test"] == sorted(folds[fold - 1])
    assert people["val"] == sorted(folds[val - 1])
    assert people["train"] == sorted(set(names) - set(people["test"]) - set(people["val"]))
    assert all(np.array_equal(chosen, np.sort(chosen)) for chosen in parts.values())


def test_in_view2_everyone_is_tested_once_and_chooses_once() -> None:
    assert sorted(map(val_fold, range(1, 11))) == list(range(1, 11))
    table, names, folds = ten_folds()
    for part in ("val", "test"):
        people = np.concatenate([view2_split(table, names, folds, fold)[part] for fold in range(1, 11)])
        assert sorted(people) == list(range(30))


def test_view2_wants_ten_folds_and_everyone_there() -> None:
    table, names, folds = ten_folds()
    with pytest.raises(UserError, match=r"^people\.txt: 9 folds; expected the ten of LFW's view 2"):
        view2_split(table, names, folds[:9], 1)
    with pytest.raises(UserError, match=r"^data\.split=view2: 1 listed people have no image, Nobody for one"):
        view2_split(table, names, [*folds[:9], [*folds[9], "Nobody"]], 1)
    assert check_folds("pairs.txt", folds) is folds


@pytest.mark.parametrize(
    ("split", "fold", "message"),
    [
        ("view2", None, r"^data\.fold: not given; .* say data\.fold=1, or to 10$"),
        ("view2", 0, r"^data\.fold=0: expected an integer from 1 to 10$"),
        ("view2", 11, r"^data\.fold=11: expected an integer from 1 to 10$"),
        ("view2", "two", r"^data\.fold='two': expected an integer from 1 to 10$"),
        (
            "view1",
            3,
            r"^data\.fold=3: data\.split=view1 has no folds; say data\.split=view2, or leave it out$",
        ),
    ],
)
def test_a_fold_goes_with_view2_alone(split: str, fold: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_fold(split, fold)
    assert check_fold("view2", 10) == 10
    assert check_fold("random", None) is None


@pytest.mark.real_faces
@pytest.mark.parametrize("fold", [1, 10])
def test_view2_of_lfw(real_lfw: LFWSource, fold: int) -> None:
    folds = real_lfw.people_folds("people")
    parts = view2_split(real_lfw.identities, real_lfw.names, folds, fold)
    sizes = [len(people) for people in folds]
    test, val = sizes[fold - 1], sizes[fold % 10]
    assert {part: len(people) for part, people in parts.items()} == {
        "train": 5749 - test - val, "val": val, "test": test,
    }  # fmt: skip


@pytest.mark.real_faces
def test_view1_of_lfw(real_lfw: LFWSource) -> None:
    lists = real_lfw.people("peopleDevTrain"), real_lfw.people("peopleDevTest")
    parts = view1_split(real_lfw.identities, real_lfw.names, *lists, seed=0)
    assert {part: len(people) for part, people in parts.items()} == {"train": 3634, "val": 404, "test": 1711}
    assert np.array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(5749))
