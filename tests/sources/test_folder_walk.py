from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facenet_lit.sources.folder_walk import walk


def touch(root: Path, *files: str) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"")


def paths(root: Path) -> list[str]:
    return sorted(path for _, path in walk(str(root)).pictures)


def test_pictures_of_subfolders_however_deep_are_of_one_identity(tmp_path):
    touch(
        tmp_path, "Ada/1.jpg", "Ada/2019/May/2.PNG", "Bo/3.webp", "Bo/notes.txt", "Bo/README", "Bo/more/4.gif"
    )
    (tmp_path / "Cy" / "later").mkdir(parents=True)
    found = walk(str(tmp_path))
    assert sorted(found.pictures) == [
        ("Ada", "Ada/1.jpg"),
        ("Ada", "Ada/2019/May/2.PNG"),
        ("Bo", "Bo/3.webp"),
    ]
    assert found.deeper == ["Ada/2019/May/2.PNG"]
    assert found.empty == ["Cy"]
    assert found.others == {".txt": 1, "": 1, ".gif": 1}
    assert found.loose == found.repeated == found.dead == []


def test_what_lies_in_the_root_itself_is_nobodys(tmp_path):
    touch(tmp_path, "2.jpg", "1.jpg", "Ada/1.jpg", "list.csv")
    found = walk(str(tmp_path))
    assert found.loose == ["1.jpg", "2.jpg"]
    assert found.pictures == [("Ada", "Ada/1.jpg")]


def test_hidden_and_system_files_are_passed_over(tmp_path):
    touch(
        tmp_path,
        "Ada/1.jpg", "Ada/._1.jpg", "Ada/.DS_Store", "Ada/Thumbs.db", "Ada/@eaDir/1.jpg/SMALL.jpg", ".git/1.jpg",
        "__MACOSX/Ada/1.jpg", "Ada/.thumbs/1.jpg", "desktop.ini",
    )  # fmt: skip
    found = walk(str(tmp_path))
    assert found.pictures == [("Ada", "Ada/1.jpg")]
    assert not found.others
    assert found.empty == []


ODD = [
    "Zoë",
    "小明",
    "O'Brien, Pat",
    "a=b",
    "line\nbreak",
    " padded ",
    "100%",
    "{x}",
    "$HOME",
    "\\",
    "*",
    "-n",
    "ñ" * 80,
]


def test_odd_names_are_kept_as_they_are(tmp_path):
    touch(tmp_path, *(f"{name}/{name}.jpg" for name in ODD))
    assert sorted(walk(str(tmp_path)).pictures) == sorted((name, f"{name}/{name}.jpg") for name in ODD)


def test_names_that_are_no_utf8_are_kept_as_they_are(tmp_path):
    folder = os.fsencode(tmp_path) + b"/Zo\xeb"
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    Path(os.fsdecode(folder + b"/\xff.jpg")).write_bytes(b"")
    ((identity, path),) = walk(str(tmp_path)).pictures
    assert (os.fsencode(identity), os.fsencode(path)) == (b"Zo\xeb", b"Zo\xeb/\xff.jpg")


# --- links ---


def test_links_to_elsewhere_are_followed(tmp_path):
    touch(tmp_path / "pool", "a/1.jpg", "a/deep/2.jpg", "b.jpg", "blob-without-suffix")
    touch(tmp_path / "faces", "Bo/1.jpg")
    (tmp_path / "faces" / "Ada").symlink_to(tmp_path / "pool" / "a")
    (tmp_path / "faces" / "Bo" / "2.jpg").symlink_to("../../pool/b.jpg")
    (tmp_path / "faces" / "Bo" / "3.jpg").symlink_to(tmp_path / "pool" / "blob-without-suffix")
    assert paths(tmp_path / "faces") == ["Ada/1.jpg", "Ada/deep/2.jpg", "Bo/1.jpg", "Bo/2.jpg", "Bo/3.jpg"]
    assert walk(str(tmp_path / "faces")).repeated == []


@pytest.mark.parametrize("target", [".", "..", "../..", "../Bo", "../../faces/Ada", "loop", "deeper"])
def test_links_in_circles_end_and_add_nothing(tmp_path, target):
    root = tmp_path / "faces"
    touch(root, "Ada/1.jpg", "Ada/deeper/2.jpg", "Bo/3.jpg")
    touch(tmp_path, "beside/4.jpg")
    (root / "Ada" / "loop").symlink_to(target)
    found = walk(str(root))
    assert sorted(found.pictures) == [("Ada", "Ada/1.jpg"), ("Ada", "Ada/deeper/2.jpg"), ("Bo", "Bo/3.jpg")]
    assert found.repeated + found.dead == ["Ada/loop"]
    assert found.dead == (["Ada/loop"] if target == "loop" else [])


def test_links_of_two_folders_to_each_other(tmp_path):
    touch(tmp_path, "faces/Ada/1.jpg", "x/2.jpg", "y/3.jpg")
    (tmp_path / "x" / "to_y").symlink_to("../y")
    (tmp_path / "y" / "to_x").symlink_to("../x")
    (tmp_path / "faces" / "Bo").symlink_to("../x")
    found = walk(str(tmp_path / "faces"))
    assert sorted(found.pictures) == [("Ada", "Ada/1.jpg"), ("Bo", "Bo/2.jpg"), ("Bo", "Bo/to_y/3.jpg")]
    assert found.repeated == ["Bo/to_y/to_x"]


def test_a_person_under_a_second_name_by_a_link_is_one_person(tmp_path):
    touch(tmp_path, "Bo/1.jpg")
    (tmp_path / "Alias").symlink_to("Bo")  # before it in order, and yet what gives way
    found = walk(str(tmp_path))
    assert found.pictures == [("Bo", "Bo/1.jpg")]
    assert found.repeated == ["Alias"]
    assert found.empty == []


def test_a_picture_linked_twice_counts_once_for_an_identity_and_for_each(tmp_path):
    touch(tmp_path, "pool/1.jpg", "faces/Ada/own.jpg")
    for link, target in {
        "Ada/again.jpg": "own.jpg",
        "Ada/a.jpg": "../../pool/1.jpg",
        "Ada/b.jpg": "a.jpg",  # through the other link
        "Bo/a.jpg": "../../pool/1.jpg",
        "Bo/own.jpg": "../Ada/own.jpg",
    }.items():
        (tmp_path / "faces" / link).parent.mkdir(exist_ok=True)
        (tmp_path / "faces" / link).symlink_to(target)
    assert paths(tmp_path / "faces") == ["Ada/a.jpg", "Ada/own.jpg", "Bo/a.jpg", "Bo/own.jpg"]
    assert walk(str(tmp_path / "faces")).repeated == ["Ada/again.jpg", "Ada/b.jpg"]


@pytest.mark.parametrize(("to_file", "to_folder"), [("a.jpg", "b"), ("b.jpg", "a")])
def test_a_picture_linked_by_itself_and_in_its_folder_counts_once(tmp_path, to_file, to_folder):
    touch(tmp_path, "pool/x/1.jpg", "pool/y/2.jpg", "faces/Ada/own.jpg")
    (tmp_path / "pool" / "x" / "y").symlink_to("../y")  # met on the way, and followed before the files too
    ada = tmp_path / "faces" / "Ada"
    (ada / to_folder).symlink_to("../../pool/x")
    (ada / to_file).symlink_to("../../pool/x/1.jpg")
    (ada / f"more {to_file}").symlink_to("../../pool/y/2.jpg")
    assert paths(tmp_path / "faces") == sorted(
        ["Ada/own.jpg", f"Ada/{to_folder}/1.jpg", f"Ada/{to_folder}/y/2.jpg"]
    )
    assert walk(str(tmp_path / "faces")).repeated == sorted([f"Ada/{to_file}", f"Ada/more {to_file}"])


def test_what_is_neither_file_nor_folder_is_not_opened(tmp_path):
    touch(tmp_path, "Ada/1.jpg")
    os.mkfifo(tmp_path / "Ada" / "2.jpg")
    (tmp_path / "Ada" / "3.jpg").symlink_to("2.jpg")
    (tmp_path / "Ada" / "4.jpg").symlink_to("gone.jpg")
    found = walk(str(tmp_path))
    assert found.pictures == [("Ada", "Ada/1.jpg")]
    assert found.others == {".jpg": 2}
    assert found.dead == ["Ada/4.jpg"]


def test_a_root_that_is_a_link(tmp_path):
    touch(tmp_path, "faces/Ada/1.jpg")
    (tmp_path / "link").symlink_to("faces")
    (tmp_path / "faces" / "Ada" / "up").symlink_to("../../link")
    assert walk(str(tmp_path / "link")).pictures == [("Ada", "Ada/1.jpg")]


NAMES = st.sampled_from(["a", "b", "c.jpg", "d.png", "e.txt", ".f.jpg"])


def plant(root: Path, files: set[tuple[str, ...]]) -> None:
    """Makes the files, less those whose place is taken by another as a folder, or the other way round."""
    for parts in sorted(files, key=lambda parts: (len(parts), parts)):
        path = root.joinpath(*parts)
        if not path.exists() and not any(place.is_file() for place in path.parents):
            touch(root, str(path.relative_to(root)))


def is_shown(root: Path, path: Path) -> bool:
    return not any(part.startswith(".") for part in path.relative_to(root).parts)


@given(st.sets(st.lists(NAMES, min_size=1, max_size=4).map(tuple), max_size=12), st.data())
@settings(max_examples=50, deadline=None)
def test_links_within_a_tree_add_nothing_to_its_real_files(files, data):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        plant(root, files)
        everything = [path for path in sorted(root.rglob("*")) if is_shown(root, path)]
        pictures = [path for path in everything if path.is_file() and path.suffix in (".jpg", ".png")]
        folders = [root, *(path for path in everything if path.is_dir())]
        for number in range(data.draw(st.integers(0, 4))):
            place, target = (data.draw(st.sampled_from(folders)) for _ in range(2))
            (place / f"link{number}").symlink_to(target)
        found = walk(str(root))
    expected = [str(path.relative_to(root)) for path in pictures]
    assert sorted(found.loose + [path for _, path in found.pictures]) == sorted(expected)
