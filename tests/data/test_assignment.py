from pathlib import Path

import numpy as np
import pytest
from tiny_lfw import FOLDS, write_lfw

from facenet_lit.data.assignment import Assignment, assign, drop_outside, packed, without_repeats
from facenet_lit.errors import UserError
from facenet_lit.sources.lfw import LFWSource
from facenet_lit.sources.pack_files import Pack
from facenet_lit.sources.source import Source
from facenet_lit.sources.synthetic import SyntheticFaces


def test_a_random_split_puts_every_image_into_one_part() -> None:
    source = SyntheticFaces(30, 3)
    parts, pairs = assign(source, source, "random", 1)
    assert list(parts) == ["train", "val", "test"]
    assert sorted(np.concatenate(list(parts.values()))) == list(range(90))
    assert pairs == {}
    assert not np.array_equal(parts["val"], assign(source, source, "random", 2).parts["val"])


def test_a_split_of_triplets_shares_images() -> None:
    source = SyntheticFaces(30, 3)
    parts, pairs = assign(source, source, "triplets", 1)
    assert set(parts["val"]) & set(parts["train"])
    assert pairs == {}
    assert not np.array_equal(parts["val"], assign(source, source, "triplets", 2).parts["val"])


def test_no_split_puts_everyone_into_test() -> None:
    source = SyntheticFaces(4, 2)
    parts, _ = assign(source, source, "none", 0)
    assert {part: len(numbers) for part, numbers in parts.items()} == {"train": 0, "val": 0, "test": 8}


def packed_without(source: Source, left_out: list[str]) -> Pack:
    """A pack as far as its tables go."""
    kept = ~np.isin(source.files, left_out)
    present, identities = np.unique(source.identities[kept], return_inverse=True)
    names, files = [source.names[i] for i in present], np.array(source.files)[kept].tolist()
    nothing = np.empty((len(files), 0), np.uint8)
    return Pack(nothing, identities, names, files, nothing, "", dict.fromkeys(left_out, "damaged"))


def test_a_picture_left_out_moves_nobody_else() -> None:
    source = SyntheticFaces(30, 3)
    listed = assign(source, source, "random", 0)
    assert packed(listed, source, packed_without(source, [])) is listed
    left_out = source.files[:4]  # the whole of one person, and a picture of another
    faces = packed_without(source, left_out)
    for part, numbers in packed(listed, source, faces).parts.items():
        expected = [source.files[n] for n in listed.parts[part] if source.files[n] not in left_out]
        assert [faces.files[n] for n in numbers] == expected


def test_too_little_that_decodes_is_refused() -> None:
    source = SyntheticFaces(30, 3)
    listed = assign(source, source, "random", 0)
    faces = packed_without(source, [source.files[n] for n in listed.parts["val"][1:]])
    with pytest.raises(UserError, match="val has 1 of 28 identities, 0 of them with two"):
        packed(listed, source, faces)
    everyone = assign(source, source, "none", 0)
    assert len(packed(everyone, source, packed_without(source, source.files[:89])).parts["test"]) == 1


def test_pairs_of_pictures_left_out_are_counted(lfw: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = LFWSource(lfw)
    listed = assign(source, source, "view1", 0)
    caplog.clear()  # this is not the whole of LFW, which is told of
    # One picture of a listed pair; and another person, on the list of people, with all pictures.
    left_out = ["Pv/Pv_0002.jpg", "Pa/Pa_0001.jpg", "Pa/Pa_0002.jpg"]
    faces = packed_without(source, left_out)
    found = packed(listed, source, faces)
    assert [[faces.files[n] for n in pair] for pair in found.listed_pairs["test"]] == [
        ["Pu/Pu_0001.jpg", "Pu/Pu_0002.jpg"]
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "1 of 2 listed pairs are left out: a picture of theirs does not decode"
    ]


def test_pairs_that_reach_out_of_their_part_are_counted_and_not_scored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = Assignment({"test": np.array([4, 5, 7])}, {"test": np.array([[4, 5], [4, 6], [7, 4]])})
    assert drop_outside(found).listed_pairs["test"].tolist() == [[4, 5], [7, 4]]
    assert caplog.messages == ["1 of 3 listed pairs of test are not scored: they reach out of it"]


def packed_with(source: Source, equal: dict[int, int]) -> Pack:
    """A pack as far as its tables go, in which some images are equal to others."""
    numbers = np.arange(len(source.files))
    contents = np.array([equal.get(number, number) for number in numbers.tolist()])
    fingerprints = np.zeros((len(numbers), 32), np.uint8)
    fingerprints[:, :8] = contents.astype(">u8").view(np.uint8).reshape(-1, 8)
    nothing = np.empty((len(numbers), 0), np.uint8)
    return Pack(nothing, source.identities, source.names, source.files, fingerprints, "")


def test_what_repeats_is_left_out_and_what_is_mislabelled_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    source = SyntheticFaces(30, 3)
    listed = assign(source, source, "random", 0)
    assert without_repeats(listed, packed_with(source, {})) is listed
    assert caplog.messages == []

    first, second = listed.parts["val"][:3], listed.parts["val"][3:6]
    equal = {first[2]: first[1], second[0]: first[0], second[2]: first[1]}
    pairs = {"val": np.array([first[:2], first[1:], [first[0], second[0]]])}
    found = without_repeats(listed._replace(listed_pairs=pairs), packed_with(source, equal))
    assert found.parts["train"].tolist() == listed.parts["train"].tolist()
    assert found.parts["val"].tolist() == [n for n in listed.parts["val"] if n != first[2]]
    assert found.listed_pairs["val"].tolist() == [pairs["val"][0].tolist(), pairs["val"][2].tolist()]
    names = [source.files[n] for n in (*first, *second)]
    noise, repeats, unscored = caplog.messages
    assert noise.startswith("label noise: 2 pictures are under more than one identity, ")
    assert f" {names[0]} = {names[3]}, {names[1]} = {names[5]};" in noise
    assert repeats.startswith("duplicates: 1 images repeat another of the same identity, ")
    assert f" {names[1]} = {names[2]};" in repeats
    assert unscored == "1 of 3 listed pairs of val are not scored: they reach out of it"


def test_people_whose_pictures_are_all_one_are_people_with_one_picture() -> None:
    source = SyntheticFaces(30, 3)
    listed = assign(source, source, "random", 0)
    val = listed.parts["val"]
    equal = dict.fromkeys(val[:3].tolist(), val[0]) | dict.fromkeys(val[3:6].tolist(), val[3])
    with pytest.raises(UserError, match="val has 3 of 30 identities, 1 of them with two or more"):
        without_repeats(listed, packed_with(source, equal))
    everyone = assign(source, source, "none", 0)
    assert len(without_repeats(everyone, packed_with(source, equal)).parts["test"]) == 86


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


@pytest.mark.parametrize("fold", [3, 10])
def test_view_2_by_its_lists(tmp_path: Path, fold: int) -> None:
    source = LFWSource(write_lfw(tmp_path, decodable=False))
    parts, pairs = assign(source, source, "view2", 0, fold)
    assert {part: len(numbers) for part, numbers in parts.items()} == {"train": 48, "val": 6, "test": 6}
    for part, place in (("test", fold - 1), ("val", fold % 10)):
        assert {source.names[source.identities[n]] for n in parts[part]} == set(FOLDS[place])
        a, b, c = FOLDS[place]
        named = [[source.files[n].split("/")[1] for n in pair] for pair in pairs[part]]
        assert named[:3] == [[f"{p}_0001.jpg", f"{p}_0002.jpg"] for p in (a, b, c)]
        assert named[3:] == [[f"{p}_0001.jpg", f"{q}_0002.jpg"] for p, q in ((a, b), (b, c), (c, a))]


@pytest.mark.parametrize("file", ["people", "pairs"])
def test_what_is_wrong_with_the_lists_of_view_2(tmp_path: Path, file: str) -> None:
    source = LFWSource(write_lfw(tmp_path, decodable=False))
    (tmp_path / f"{file}.txt").write_bytes((tmp_path / f"{file}DevTest.txt").read_bytes())
    with pytest.raises(UserError, match=rf"^{file}\.txt: 1 folds; expected the ten of LFW's view 2"):
        assign(source, source, "view2", 0, 1)
    (tmp_path / f"{file}.txt").unlink()
    with pytest.raises(UserError, match=rf"{file}\.txt not found in"):
        assign(source, source, "view2", 0, 1)
    with pytest.raises(UserError, match=r"data\.split=view2: expected data=lfw, not synthetic"):
        assign(source, SyntheticFaces(), "view2", 0, 1)


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
