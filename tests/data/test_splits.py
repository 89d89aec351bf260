import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.data.splits import PARTS, images_of, random_split, view1_split
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


@pytest.mark.real_faces
def test_view1_of_lfw(real_lfw: LFWSource) -> None:
    lists = real_lfw.people("peopleDevTrain"), real_lfw.people("peopleDevTest")
    parts = view1_split(real_lfw.identities, real_lfw.names, *lists, seed=0)
    assert {part: len(people) for part, people in parts.items()} == {"train": 3634, "val": 404, "test": 1711}
    assert np.array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(5749))
