from __future__ import annotations

import inspect
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from facenet_lit.errors import UserError
from facenet_lit.sources.folder import FolderSource
from facenet_lit.sources.lfw import LFWSource
from facenet_lit.sources.source import Source, UnreadableImage
from facenet_lit.sources.synthetic import SyntheticFaces


def test_unreadable_image_names_its_picture_in_one_line():
    error = UnreadableImage("Ada/1.jpg")
    assert isinstance(error, UserError)
    assert error.name == "Ada/1.jpg"
    assert str(error).startswith("Ada/1.jpg: ")
    assert "\n" not in str(error)


def make(kind: str, folder: Path) -> Source:
    """A source of each kind; where it has files, those of Cy, Ada and Bo with 1, 2 and 3 pictures."""
    drawn = SyntheticFaces(3, 3, 20)
    if kind == "synthetic":
        return drawn
    reads = [read for _, read in drawn.pictures()]
    for count, name in enumerate(("Cy", "Ada", "Bo"), start=1):
        (folder / "lfw" / name).mkdir(parents=True)
        for number in range(1, count + 1):
            cv2.imwrite(str(folder / "lfw" / name / f"{name}_{number:04d}.jpg"), reads[3 * count - number]())
    if kind == "folder":
        return FolderSource(folder / "lfw")
    if kind == "lfw, folder":
        return LFWSource(folder / "lfw")
    with tarfile.open(folder / "lfw.tgz", "w:gz") as archive:
        archive.add(folder / "lfw", "lfw")
    return LFWSource(folder / "lfw.tgz")


@pytest.mark.parametrize("kind", ["folder", "lfw, folder", "lfw, archive", "synthetic"])
def test_every_source_keeps_the_contract(kind, tmp_path):
    source = make(kind, tmp_path)
    members = [name for name, _ in inspect.getmembers(Source) if not name.startswith("_")]
    assert all(hasattr(source, name) for name in members)
    assert source.name == kind.split(",")[0]
    assert source.identities.dtype == np.int64
    assert (np.diff(source.identities) >= 0).all()
    assert set(source.identities.tolist()) == set(range(len(source.names)))
    assert list(source.names) == sorted(set(source.names))
    assert len(source.files) == len(set(source.files)) == len(source.identities)
    assert source.key
    # Whoever is told by its name whose picture it is, is told so by the table.
    for file, identity in zip(source.files, source.identities, strict=True):
        assert file.startswith(source.names[identity] + "/")
    reads = dict(source.pictures())
    assert sorted(reads) == list(range(len(source.files)))
    for read in reads.values():
        picture = read()
        assert (picture.shape, picture.dtype) == ((20, 20, 3), np.uint8)
        np.testing.assert_array_equal(read(), picture)
