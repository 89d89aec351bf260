from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from facenet_lit.errors import UserError
from facenet_lit.sources.folder import FolderSource
from facenet_lit.sources.source import UnreadableImage
from facenet_lit.sources.synthetic import SyntheticFaces


def write(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture[..., ::-1] if picture.ndim == 3 else picture)


@pytest.fixture
def faces() -> np.ndarray:
    return np.stack([read() for _, read in SyntheticFaces(3, 2, 32).pictures()])


@pytest.fixture
def root(tmp_path, faces) -> Path:
    root = tmp_path / "faces"
    write(root / "Bo" / "2.png", faces[0])
    write(root / "Bo" / "1.PNG", faces[1])
    write(root / "Ada" / "b.JPG", faces[2])
    write(root / "Ada" / "a.jpeg", faces[3])
    write(root / "Zoë" / "grey.png", faces[4][..., 0])
    (root / "Ada" / "notes.txt").write_text("no picture")
    (root / "Ada" / "._a.jpg").write_bytes(b"hidden")
    (root / "Empty").mkdir()
    (root / ".hidden").mkdir()
    write(root / ".hidden" / "1.png", faces[0])
    write(root / "loose.png", faces[0])
    write(root / "Ada" / "deeper" / "1.png", faces[0])
    return root


def test_table_is_sorted_and_other_files_are_ignored(root):
    source = FolderSource(root)
    assert list(source.names) == ["Ada", "Bo", "Zoë"]
    assert list(source.files) == [
        *("Ada/a.jpeg", "Ada/b.JPG", "Ada/deeper/1.png", "Bo/1.PNG", "Bo/2.png", "Zoë/grey.png")
    ]
    np.testing.assert_array_equal(source.identities, [0, 0, 0, 1, 1, 2])
    assert source.identities.dtype == np.int64


def test_pictures_are_rgb(root, faces):
    pictures = {number: read() for number, read in FolderSource(root).pictures()}
    assert sorted(pictures) == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(pictures[4], faces[0])
    np.testing.assert_array_equal(pictures[3], faces[1])
    np.testing.assert_array_equal(pictures[5], np.repeat(faces[4][..., :1], 3, axis=2))
    assert np.abs(pictures[1].astype(int) - faces[2]).mean() < 12  # JPEG


def test_bad_picture_is_named_when_read(root):
    (root / "Bo" / "0.jpg").write_bytes(b"not a picture")
    source = FolderSource(root)
    reads = dict(source.pictures())
    with pytest.raises(UnreadableImage) as caught:
        reads[source.files.index("Bo/0.jpg")]()
    assert caught.value.name == "Bo/0.jpg"


def test_listing_decodes_nothing(root):
    for path in root.rglob("*"):
        if path.is_file():
            path.write_bytes(b"not a picture")
    assert len(FolderSource(root).files) == 6
    assert len(list(FolderSource(root).pictures())) == 6


def test_key_changes_with_content_names_and_place(root, faces, tmp_path):
    keys = [FolderSource(root).key]
    assert FolderSource(root).key == keys[0]
    write(root / "Bo" / "3.png", faces[5])
    keys.append(FolderSource(root).key)
    (root / "Bo" / "3.png").rename(root / "Bo" / "4.png")
    keys.append(FolderSource(root).key)
    os.utime(root / "Bo" / "4.png", (1, 1))
    keys.append(FolderSource(root).key)
    root.rename(tmp_path / "elsewhere")
    keys.append(FolderSource(tmp_path / "elsewhere").key)
    assert len(set(keys)) == 5


def test_key_ignores_what_is_no_picture(root):
    key = FolderSource(root).key
    (root / "Ada" / "more.txt").write_text("no picture")
    assert FolderSource(root).key == key


@pytest.mark.parametrize("value", [None, "", "/nowhere/at/all"])
def test_missing_root(value):
    with pytest.raises(UserError, match=r"^data\.root.*subfolder per identity.*data\.root=DIR"):
        FolderSource(value)


def test_root_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="a file; expected a folder"):
        FolderSource(tmp_path / "file")


def test_empty_root_says_what_was_expected(tmp_path):
    (tmp_path / "Ada").mkdir()
    source = FolderSource(tmp_path)
    with pytest.raises(
        UserError, match=r"no pictures found; expected a folder with a subfolder per identity"
    ):
        _ = source.files


def test_what_else_lies_there_is_told_in_a_line_each(root, caplog):
    (root / "Bo" / "gone.png").symlink_to("nowhere.png")
    (root / "Bo" / "up").symlink_to("..")
    _ = FolderSource(root).files
    assert [record.getMessage().removeprefix(f"data.root={root}: ") for record in caplog.records] == [
        "1 pictures right in it, loose.png for one, are nobody's and left out; put each into its person's folder",
        "1 pictures in deeper folders, Ada/deeper/1.png for one, are of the person whose folder it is at the top",
        "1 folders without a picture, Empty for one, are passed over",
        "1 links to what is there anyway, Bo/up for one, are passed over",
        "1 links to nothing, Bo/gone.png for one, are passed over",
        "1 files that are no pictures (.txt 1) are passed over",
    ]


def test_a_tidy_folder_is_passed_without_a_word(tmp_path, faces, caplog):
    write(tmp_path / "Ada" / "1.png", faces[0])
    assert list(FolderSource(tmp_path).files) == ["Ada/1.png"]
    assert caplog.records == []


def test_one_name_in_two_forms_of_unicode_is_one_person(tmp_path, faces, caplog):
    write(tmp_path / "Zo\u00eb" / "1.png", faces[0])
    write(tmp_path / "Zoe\u0308" / "2.png", faces[1])
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system takes both forms for one name")
    write(tmp_path / "Ada" / "1.png", faces[2])
    rows = ["Zo\u00eb/1.png,Zoe\u0308", "Zoe\u0308/2.png,Zo\u00eb", "Ada/1.png,Ada"]
    (tmp_path / "list.csv").write_text("\n".join(["path,identity", *rows]), encoding="utf-8")
    for list_file, where in ((None, f"data.root={tmp_path}"), ("list.csv", f"data.list={tmp_path}/list.csv")):
        source = FolderSource(tmp_path, None if list_file is None else tmp_path / list_file)
        caplog.clear()
        assert list(source.names) == ["Ada", "Zo\u00eb"]
        assert source.identities.tolist() == [0, 1, 1]
        assert [read().shape for _, read in source.pictures()] == [(32, 32, 3)] * 3
        told = "1 names are written in several forms of Unicode, Zo\u00eb for one, and are one person's each"
        assert f"{where}: {told}" in caplog.messages


def test_pictures_right_in_the_root_alone_are_an_error(tmp_path, faces):
    write(tmp_path / "1.png", faces[0])
    with pytest.raises(
        UserError, match="no pictures found in a subfolder, 1 right in it; expected a folder with a"
    ):
        _ = FolderSource(tmp_path).files


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_can_not_be_read(root):
    (root / "Bo").chmod(0)
    try:
        with pytest.raises(UserError, match=r"Bo can't be read \(Permission denied\); make it readable"):
            _ = FolderSource(root).files
    finally:
        (root / "Bo").chmod(0o700)


# --- a list instead ---


def write_list(path: Path, rows: dict[str, str]) -> Path:
    path.write_text(
        "".join(f"{file},{identity}\n" for file, identity in {"path": "identity", **rows}.items())
    )
    return path


def test_a_list_tells_whose_the_pictures_are(root, faces):
    rows = {"Zoë/grey.png": "Bo", "Bo/2.png": "Ada", "loose.png": "Ada", "Ada/a.jpeg": "Bo"}
    source = FolderSource(None, write_list(root / "list.csv", rows))
    assert list(source.names) == ["Ada", "Bo"]
    assert list(source.files) == ["Bo/2.png", "loose.png", "Ada/a.jpeg", "Zoë/grey.png"]
    np.testing.assert_array_equal(source.identities, [0, 0, 1, 1])
    np.testing.assert_array_equal(dict(source.pictures())[0](), faces[0])


def test_paths_start_from_the_root_where_there_is_one(root, tmp_path):
    file = write_list(tmp_path / "list.csv", {"1.PNG": "Ada"})
    assert list(FolderSource(root / "Bo", file).files) == ["1.PNG"]
    with pytest.raises(UserError, match=r"line 2: no file 1\.PNG in"):
        _ = FolderSource(None, file).files


def test_key_changes_with_whose_pictures_are(root):
    keys = set()
    for rows in ({"loose.png": "Ada"}, {"loose.png": "Bo"}, {"loose.png": "Bo", "Bo/2.png": "Bo"}):
        keys.add(FolderSource(root, write_list(root / "list.csv", rows)).key)
        keys.add(FolderSource(root, write_list(root / "other.csv", rows)).key)  # wherever it says so
    assert len(keys) == 3


@pytest.mark.parametrize("value", ["", "nowhere.csv", "."])
def test_a_list_that_is_not_there(value):
    with pytest.raises(
        UserError, match=r"^data\.list.*expected a CSV file in UTF-8.*name that file by data\.list=FILE$"
    ):
        FolderSource(None, value)
