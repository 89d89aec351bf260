from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from facenet_lit.data.assignment import assign, number_pairs
from facenet_lit.errors import UserError
from facenet_lit.sources.lfw import LFWSource
from facenet_lit.sources.lfw_lists import ListedPair
from facenet_lit.sources.synthetic import SyntheticFaces

FILES = ["a/0", "a/1", "b/0"]


def test_listed_pairs_become_image_numbers() -> None:
    listed = [ListedPair("a/1", "a/0", True), ListedPair("b/0", "a/1", False)]
    assert number_pairs(listed, FILES).tolist() == [[1, 0], [2, 1]]
    assert number_pairs([], FILES).shape == (0, 2)
    with pytest.raises(UserError, match="1 listed pictures are not in the source, nobody for one"):
        number_pairs([ListedPair("nobody", "a/0", False)], FILES)


def test_a_random_split_puts_every_image_into_one_part() -> None:
    source = SyntheticFaces(30, 3)
    parts, pairs = assign(source, source, "random", 1)
    assert list(parts) == ["train", "val", "test"]
    assert sorted(np.concatenate(list(parts.values()))) == list(range(90))
    assert pairs == {}
    assert not np.array_equal(parts["val"], assign(source, source, "random", 2).parts["val"])


def test_no_split_puts_everyone_into_test() -> None:
    source = SyntheticFaces(4, 2)
    parts, _ = assign(source, source, "none", 0)
    assert {part: len(numbers) for part, numbers in parts.items()} == {"train": 0, "val": 0, "test": 8}


def test_a_table_with_pictures_left_out_has_its_own_numbers() -> None:
    source = SyntheticFaces(30, 3)
    left = np.arange(1, 90)  # the first picture did not decode
    table = SimpleNamespace(
        names=source.names, identities=source.identities[left], files=[source.files[n] for n in left]
    )
    whole, parts = assign(source, source, "random", 0).parts, assign(table, source, "random", 0).parts
    for part in parts:
        assert [table.files[n] for n in parts[part]] == [source.files[n] for n in whole[part] if n]


@pytest.fixture
def lfw(tmp_path: Path) -> Path:
    """LFW's layout with 25 people of two pictures, none of which decodes, and view 1's lists."""
    people = [f"P{chr(97 + k)}" for k in range(25)]
    for name in people:
        for number in (1, 2):
            path = tmp_path / "lfw" / name / f"{name}_{number:04d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("no picture")
    lists = {"peopleDevTrain": people[:20], "peopleDevTest": people[20:]}
    for list_name, names in lists.items():
        (tmp_path / f"{list_name}.txt").write_text("\n".join([str(len(names)), *(f"{n}\t2" for n in names)]))
    (tmp_path / "pairsDevTest.txt").write_text("1\nPu\t1\t2\nPu\t1\tPv\t2\n")
    return tmp_path / "lfw"


def test_view_1_by_its_lists(lfw: Path) -> None:
    source = LFWSource(lfw)
    parts, pairs = assign(source, source, "view1", 0)
    assert {part: len(numbers) for part, numbers in parts.items()} == {"train": 36, "val": 4, "test": 10}
    assert pairs["test"].tolist() == [[40, 41], [40, 43]]
    with pytest.raises(UserError, match=r"data\.split=view1: expected data=lfw, not synthetic"):
        assign(source, SyntheticFaces(), "view1", 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"pairsDevTest\.txt not found"),
        ("1\nPu\t1\n", "expected a name and the numbers of two different images"),
        ("1\nPu\t1\t3\nPu\t1\tPv\t2\n", r"Pu/Pu_0003\.jpg for one"),
    ],
)
def test_what_is_wrong_with_the_list_of_pairs(lfw: Path, text: str | None, message: str) -> None:
    path = lfw.parent / "pairsDevTest.txt"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(UserError, match=message):
        assign(LFWSource(lfw), LFWSource(lfw), "view1", 0)
