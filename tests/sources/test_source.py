from __future__ import annotations

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


def test_every_source_is_one():
    # mypy checks the assignments; here that each states its kind without being made.
    kinds: list[type[Source]] = [FolderSource, LFWSource, SyntheticFaces]
    assert [kind.name for kind in kinds] == ["folder", "lfw", "synthetic"]
