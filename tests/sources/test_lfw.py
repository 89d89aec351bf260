from __future__ import annotations

import os
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from facenet_lit.errors import UserError
from facenet_lit.sources.lfw import LFWSource
from facenet_lit.sources.lfw_lists import read_pair_folds, read_people_folds
from facenet_lit.sources.source import UnreadableImage
from facenet_lit.sources.synthetic import SyntheticFaces

NAMES = ["Cy_Deer", "Ada_Love", "Bo"]  # not sorted, as they are drawn


@pytest.fixture
def tree(tmp_path) -> Path:
    """An extracted folder in the official layout, with drawn faces, and lists beside it."""
    root = tmp_path / "data" / "lfw"
    faces = SyntheticFaces(3, 3, 48)
    for (number, read), identity in zip(faces.pictures(), faces.identities, strict=True):
        name = NAMES[identity]
        path = root / name / f"{name}_{number % 3 + 1:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), read()[..., ::-1])
    (root / "Bo" / "notes.txt").write_text("no picture")
    (root / "Bo" / "Other_0001.jpg").write_bytes(b"not LFW's name")
    (root.parent / "peopleDevTrain.txt").write_text("2\nAda_Love\t3\nBo\t3\n")
    (root.parent / "pairsDevTest.txt").write_text("1\nBo\t1\t3\nBo\t2\tCy_Deer\t1\n")
    return root


def archived(tree: Path, name: str, mode: str, prefix: str = "lfw") -> Path:
    path = tree.parent / name
    with tarfile.open(path, mode) as archive:
        archive.add(tree, prefix)
    return path


def read_all(source: LFWSource) -> dict[str, np.ndarray]:
    return {source.files[number]: read() for number, read in source.pictures()}


def test_folder(tree):
    source = LFWSource(tree)
    assert list(source.names) == ["Ada_Love", "Bo", "Cy_Deer"]
    np.testing.assert_array_equal(source.identities, np.repeat([0, 1, 2], 3))
    assert source.files[4] == "Bo/Bo_0002.jpg"
    expected = cv2.imread(str(tree / "Bo" / "Bo_0002.jpg"))[..., ::-1]
    np.testing.assert_array_equal(read_all(source)["Bo/Bo_0002.jpg"], expected)


@pytest.mark.parametrize(
    ("name", "mode", "prefix"),
    [
        ("a.tgz", "w:gz", "lfw-deepfunneled"),
        ("a.tar.gz", "w:gz", "./lfw"),
        ("a.tar", "w", "some/where/lfw"),
        ("A.TAR", "w", "."),
        ("plain.tgz", "w", "lfw"),
    ],
)
def test_archive_is_the_same_as_the_folder(tree, name, mode, prefix):
    archive, folder = LFWSource(archived(tree, name, mode, prefix)), LFWSource(tree)
    assert list(archive.names) == list(folder.names)
    assert list(archive.files) == list(folder.files)
    np.testing.assert_array_equal(archive.identities, folder.identities)
    expected = read_all(folder)
    found = read_all(archive)
    assert found.keys() == expected.keys()
    for file, picture in found.items():
        np.testing.assert_array_equal(picture, expected[file])


def test_archive_hands_out_every_picture_once_in_its_own_order(tree):
    path = tree.parent / "a.tar"
    files = [f"{name}/{name}_{number:04d}.jpg" for number in (2, 1, 3) for name in NAMES]
    with tarfile.open(path, "w") as archive:
        for file in files:
            archive.add(tree / file, f"lfw/{file}")
    source = LFWSource(path)
    assert [source.files[number] for number, _ in source.pictures()] == files


def test_of_two_members_of_one_name_the_last_counts(tree):
    path = tree.parent / "a.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(tree / "Bo" / "Bo_0001.jpg", "lfw/Bo/Bo_0001.jpg")
        archive.add(tree / "Bo" / "Bo_0002.jpg", "lfw/Bo/Bo_0001.jpg")
    pictures = read_all(LFWSource(path))
    assert list(pictures) == ["Bo/Bo_0001.jpg"]
    np.testing.assert_array_equal(pictures["Bo/Bo_0001.jpg"], read_all(LFWSource(tree))["Bo/Bo_0002.jpg"])


def test_nothing_is_extracted(tree, tmp_path, monkeypatch):
    archive = archived(tree, "a.tgz", "w:gz")
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    before = sorted(tmp_path.rglob("*"))
    read_all(LFWSource(archive))
    assert sorted(tmp_path.rglob("*")) == before


def test_folder_within_a_folder(tree):
    inner = LFWSource(tree.parent)
    assert list(inner.files) == list(LFWSource(tree).files)
    assert len(read_all(inner)) == 9


def test_several_copies_are_refused(tree):
    archived(tree, "a.tgz", "w:gz")
    with tarfile.open(tree.parent / "a.tgz") as archive:
        archive.extractall(tree.parent / "copies")
        archive.extractall(tree.parent / "other")
    (tree.parent / "other" / "lfw").rename(tree.parent / "copies" / "lfw2")
    with pytest.raises(UserError, match=r"several folders \(lfw, lfw2\)"):
        _ = LFWSource(tree.parent / "copies").files


def test_bad_picture_in_an_archive_is_named(tree):
    (tree / "Bo" / "Bo_0002.jpg").write_bytes(b"not a picture")
    source = LFWSource(archived(tree, "a.tgz", "w:gz"))
    reads = dict(source.pictures())
    with pytest.raises(UnreadableImage) as caught:
        reads[4]()
    assert caught.value.name == "Bo/Bo_0002.jpg"
    assert reads[3]().shape == (48, 48, 3)


def test_cut_archive(tree):
    archive = archived(tree, "a.tgz", "w:gz")
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"^data\.root=.*a\.tgz: .*cut short: fetch it again"):
        _ = LFWSource(archive).names


def test_archive_and_folder_without_pictures(tmp_path):
    (tmp_path / "empty").mkdir()
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(tmp_path / "empty", "lfw")
    for root in (tmp_path / "a.tar", tmp_path / "empty"):
        with pytest.raises(UserError, match="no pictures in LFW's layout found"):
            _ = LFWSource(root).files


def test_keys(tree, tmp_path):
    archive = archived(tree, "a.tgz", "w:gz")
    keys = [LFWSource(tree).key, LFWSource(archive).key]
    assert [LFWSource(tree).key, LFWSource(archive).key] == keys
    os.utime(archive, (1, 1))
    keys.append(LFWSource(archive).key)
    archive.rename(archive.with_name("b.tgz"))
    keys.append(LFWSource(archive.with_name("b.tgz")).key)
    os.utime(tree / "Bo" / "Bo_0001.jpg", (1, 1))
    keys.append(LFWSource(tree).key)
    assert len(set(keys)) == 5


def test_key_of_an_archive_is_known_without_reading_it(tmp_path):
    (tmp_path / "a.tgz").write_bytes(b"not an archive")
    assert len(LFWSource(tmp_path / "a.tgz").key) == 64


@pytest.mark.parametrize("kind", ["archive", "folder", "inner"])
def test_lists_beside(tree, kind):
    root = {"archive": archived(tree, "a.tgz", "w:gz"), "folder": tree, "inner": tree.parent}[kind]
    source = LFWSource(root)
    assert source.people("peopleDevTrain") == ["Ada_Love", "Bo"]
    assert source.pairs("pairsDevTest.txt") == [
        ("Bo/Bo_0001.jpg", "Bo/Bo_0003.jpg", True),
        ("Bo/Bo_0002.jpg", "Cy_Deer/Cy_Deer_0001.jpg", False),
    ]


def test_lists_elsewhere_are_the_only_ones(tree, tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "peopleDevTrain.txt").write_text("1\nCy_Deer\t3\n")
    source = LFWSource(tree, lists)
    assert source.people("peopleDevTrain") == ["Cy_Deer"]
    with pytest.raises(UserError, match=rf"pairsDevTest\.txt not found in {lists};"):
        source.pairs("pairsDevTest")


def test_missing_list_says_where_was_looked(tree):
    with pytest.raises(UserError) as caught:
        LFWSource(tree).people("people")
    message = str(caught.value)
    assert f"people.txt not found in {tree} or {tree.parent};" in message
    assert "data.lists=DIR" in message


@pytest.mark.parametrize("root", [None, "/nowhere.tgz"])
def test_missing_root(root):
    with pytest.raises(
        UserError, match=r"^data\.root.*expected LFW's archive.*bring your own.*data\.download=true$"
    ):
        LFWSource(root)


def test_root_of_another_kind(tmp_path):
    (tmp_path / "lfw.zip").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"neither a folder nor a \.tgz or \.tar\.gz or \.tar"):
        LFWSource(tmp_path / "lfw.zip")


def test_bad_lists(tree, tmp_path):
    with pytest.raises(UserError, match=r"^data\.lists=.*not found"):
        LFWSource(tree, tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"^data\.lists=.*a file; expected a folder"):
        LFWSource(tree, tree.parent / "pairsDevTest.txt")


def test_a_copy_that_is_not_whole_is_told_of(tree, caplog):
    source = LFWSource(archived(tree, "a.tgz", "w:gz"))
    assert len(source.files) == len(source.identities) == 9
    assert caplog.messages == [
        f"data.root={source.root}: 9 pictures of 3 people, where the whole of LFW has 13,233 of 5,749; "
        "what is told of it compares with no published figure"
    ]


@pytest.mark.real_faces
def test_whole_lfw(real_lfw, caplog):
    again = LFWSource(real_lfw.root)
    assert list(again.files) == list(real_lfw.files)
    assert caplog.messages == []
    assert len(real_lfw.files) == 13233
    assert len(real_lfw.names) == 5749
    assert sorted(set(real_lfw.identities.tolist())) == list(range(5749))


@pytest.mark.real_faces
def test_lfw_people(real_lfw):
    train, test = real_lfw.people("peopleDevTrain"), real_lfw.people("peopleDevTest")
    assert (len(train), len(test)) == (4038, 1711)
    assert set(train).isdisjoint(test)
    assert set(train) | set(test) == set(real_lfw.names)
    folds = read_people_folds(real_lfw.list_path("people"))
    assert len(folds) == 10
    assert sorted(name for fold in folds for name in fold) == sorted(real_lfw.names)


@pytest.mark.real_faces
@pytest.mark.parametrize(
    ("name", "count"), [("pairsDevTrain", 2200), ("pairsDevTest", 1000), ("pairs", 6000)]
)
def test_lfw_pairs(real_lfw, name, count):
    pairs = real_lfw.pairs(name)
    assert len(pairs) == count
    assert sum(pair.same for pair in pairs) == count // 2
    files = set(real_lfw.files)
    assert all(pair.first in files and pair.second in files for pair in pairs)


@pytest.mark.real_faces
def test_lfw_pairs_keep_to_their_people(real_lfw):
    test = set(real_lfw.people("peopleDevTest"))
    assert {file.split("/")[0] for pair in real_lfw.pairs("pairsDevTest") for file in pair[:2]} <= test
    folds = zip(
        read_people_folds(real_lfw.list_path("people")),
        read_pair_folds(real_lfw.list_path("pairs")),
        strict=True,
    )
    for people, pairs in folds:
        assert {file.split("/")[0] for pair in pairs for file in pair[:2]} <= set(people)
        assert len(pairs) == 600
