from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facenet_lit.errors import UserError
from facenet_lit.sources.pack_source import PackSource, own_setting
from facenet_lit.sources.packed import pack
from facenet_lit.sources.source import UnreadableImage
from facenet_lit.sources.synthetic import SyntheticFaces


def made(folder: Path, quality: int | None = None, seed: int = 0) -> Path:
    return pack(SyntheticFaces(4, 3, 32, seed), 24, 16, folder, progress=False, quality=quality).folder


FORMS = pytest.mark.parametrize("quality", [None, 90])


@FORMS
def test_a_pack_is_a_source_of_its_images(tmp_path, quality):
    source = PackSource(made(tmp_path, quality))
    assert source.cut == (24, 16, quality)
    faces = SyntheticFaces(4, 3, 32)
    assert list(source.names) == list(faces.names)
    assert list(source.files) == list(faces.files)
    np.testing.assert_array_equal(source.identities, faces.identities)
    pictures = dict(source.pictures())
    assert list(pictures) == list(range(12))
    for number, read in pictures.items():
        record = source.pack.record(number)
        expected = record if quality is None else np.array(Image.open(io.BytesIO(record.tobytes())))
        np.testing.assert_array_equal(read(), expected)


@FORMS
def test_its_key_is_that_of_its_content_wherever_it_lies(tmp_path, quality):
    folder = made(tmp_path / "a", quality)
    key = PackSource(folder).key
    shutil.copytree(folder, tmp_path / "elsewhere")
    assert PackSource(tmp_path / "elsewhere").key == key
    others = [made(tmp_path / "b", quality, seed=1), made(tmp_path / "a", 50)]
    assert len({key, *(PackSource(other).key for other in others)}) == 3


@FORMS
def test_a_damaged_image_is_unreadable(tmp_path, quality):
    folder = made(tmp_path, quality)
    source = PackSource(folder)
    first = np.load(folder / "spans.npy")[5][0] if quality else 128 + 5 * 16 * 16 * 3
    with open(folder / ("images.jpegs" if quality else "images.npy"), "r+b") as file:
        file.seek(first + 100)
        file.write(b"other bytes")
    pictures = dict(source.pictures())
    assert pictures[4]().shape == (16, 16, 3)
    with pytest.raises(UnreadableImage, match="synthetic/0/1/2: not what its checksum says"):
        pictures[5]()
    with pytest.raises(UserError, match=r"1 pictures don't decode: synthetic/0/1/2 \(not what its checksum"):
        pack(PackSource(folder), None, 12, None, progress=False)


def test_what_is_no_pack(tmp_path):
    with pytest.raises(UserError, match=r"^data\.root: not given; expected a folder that python -m"):
        PackSource(None)
    with pytest.raises(UserError, match=r"^data\.root=.*nowhere: not found; expected a folder that"):
        PackSource(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"^data\.root=.*: no pack\.json in it; expected a folder that"):
        PackSource(tmp_path)


def test_a_damaged_table_is_told_with_what_to_do(tmp_path):
    folder = made(tmp_path)
    (folder / "identities.npy").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"can't be used \(identities\.npy and pack\.json differ\); copy it"):
        PackSource(folder).names  # noqa: B018
    (folder / "pack.json").write_text('{"format": 2}')
    with pytest.raises(UserError, match=r"can't be used \(format 2, not 3\); copy it again, or prepare it"):
        PackSource(folder).files  # noqa: B018


def test_its_own_settings(tmp_path):
    folder = made(tmp_path)
    assert own_setting(str(folder), "size") == 16
    assert own_setting(folder, "crop") == 24
    for root in (None, 3, tmp_path, tmp_path / "nowhere"):
        assert own_setting(root, "size", 64) == 64
    (folder / "pack.json").write_text("[]")
    assert own_setting(folder, "size", 64) == 64
