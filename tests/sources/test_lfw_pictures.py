from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from facenet_lit.errors import UserError
from facenet_lit.sources.lfw_pictures import LFWArchive, LFWFolder

PATHS = ["lfw/Bo/Bo_0002.jpg", "lfw/Ada_L/Ada_L_0001.jpg", "lfw/Bo/Bo_0001.jpg"]
FILES = ("Ada_L/Ada_L_0001.jpg", "Bo/Bo_0001.jpg", "Bo/Bo_0002.jpg")


def lay_out(root: Path, paths: list[str]) -> tuple[LFWFolder, LFWArchive]:
    """A folder and an archive with (empty) files at these paths."""
    folder = root / "extracted"
    with tarfile.open(root / "lfw.tar", "w") as archive:
        for path in paths:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(b"")
            archive.addfile(tarfile.TarInfo(path), io.BytesIO())
    return LFWFolder(folder), LFWArchive(root / "lfw.tar")


def test_official_layout(tmp_path):
    for pictures in lay_out(tmp_path, PATHS):
        assert pictures.listing.files == FILES
        assert pictures.listing.names == ("Ada_L", "Bo")
        assert pictures.listing.identities.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    "odd",
    [
        "lfw/Bo/._Bo_0001.jpg",
        "lfw/Bo/Bo_1.jpg",
        "lfw/Bo/Bo_0003.png",
        "lfw/Bo/Bo_0003.jpg.txt",
        "lfw/Bo/Ada_L_0003.jpg",
        "lfw/Bo_0003.jpg",
    ],
)
def test_other_names_are_ignored(tmp_path, odd):
    for pictures in lay_out(tmp_path, [*PATHS, odd]):
        assert pictures.listing.files == FILES


def test_two_copies_are_refused(tmp_path):
    for pictures in lay_out(tmp_path, [*PATHS, "lfw2/Bo/Bo_0001.jpg"]):
        with pytest.raises(UserError, match=r"several folders \(lfw, lfw2\)"):
            _ = pictures.listing


def test_order_of_reading(tmp_path):
    folder, archive = lay_out(tmp_path, PATHS)
    assert [number for number, _ in folder.read()] == [0, 1, 2]
    assert [number for number, _ in archive.read()] == [2, 0, 1]
