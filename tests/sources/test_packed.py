from __future__ import annotations

import io
import json
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from facenet_lit.errors import UserError
from facenet_lit.preprocessing import crop_and_resize, fingerprint
from facenet_lit.sources import room
from facenet_lit.sources.folder import FolderSource
from facenet_lit.sources.jpeg_records import JpegRecords
from facenet_lit.sources.pack_source import PackSource
from facenet_lit.sources.packed import Pack, cache_folder, pack
from facenet_lit.sources.source import Read
from facenet_lit.sources.synthetic import SyntheticFaces


class Sealed(SyntheticFaces):
    """A source that may be asked for its key, and for nothing that costs."""

    def pictures(self) -> Iterator[tuple[int, Read]]:
        raise AssertionError("decoded again")


def faces() -> SyntheticFaces:
    return SyntheticFaces(4, 3, 32)


def quick_pack(source, folder, on_bad_image="error", crop=24, size=16, quality=None) -> Pack:
    return pack(source, crop, size, folder, on_bad_image, progress=False, quality=quality)


def assert_same(first: Pack, second: Pack) -> None:
    np.testing.assert_array_equal(first.images, second.images)
    assert_same_but_images(first, second)
    assert first.key == second.key


def assert_same_but_images(first: Pack, second: Pack) -> None:
    for name in ("identities", "fingerprints"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    for name in ("names", "files", "left_out"):
        assert list(getattr(first, name)) == list(getattr(second, name))


def only_pack(folder: Path) -> Path:
    (found,) = folder.iterdir()
    return found


def test_pack_holds_every_picture_cropped_and_resized():
    source = faces()
    result = quick_pack(source, None)
    pictures = [read() for _, read in source.pictures()]
    expected = np.stack([crop_and_resize(picture, 24, 16) for picture in pictures])
    np.testing.assert_array_equal(result.images, expected)
    assert [row.tobytes() for row in result.fingerprints] == [fingerprint(picture) for picture in pictures]
    np.testing.assert_array_equal(result.identities, source.identities)
    assert result.identities.dtype == np.int64
    assert list(result.names) == list(source.names)
    assert list(result.files) == list(source.files)
    assert list(result.left_out) == []


def test_pack_on_disk_is_the_same_and_opens_again_without_decoding(tmp_path):
    in_memory = quick_pack(faces(), None)
    first = quick_pack(faces(), tmp_path / "packs")
    again = quick_pack(Sealed(4, 3, 32), tmp_path / "packs")
    assert_same(first, in_memory)
    assert_same(again, in_memory)
    assert isinstance(again.images, np.memmap)
    assert not again.images.flags.writeable
    folder = only_pack(tmp_path / "packs")
    assert folder.name.startswith("synthetic-")
    tables = [
        "checksums.npy",
        "fingerprints.npy",
        "identities.npy",
        "images.npy",
        "listing.json",
        "pack.json",
    ]
    assert sorted(path.name for path in folder.iterdir()) == tables
    assert len(again.damaged()) == len(in_memory.damaged()) == 0


def test_fingerprints_do_not_depend_on_crop_and_size():
    fingerprints = [quick_pack(faces(), None, "error", *cut).fingerprints for cut in ((24, 16), (None, 40))]
    np.testing.assert_array_equal(*fingerprints)


def test_each_setting_has_a_pack_of_its_own(tmp_path):
    keys = {
        quick_pack(source, tmp_path, "error", crop, size).key
        for source, crop, size in [
            (faces(), 24, 16),
            (faces(), None, 16),
            (faces(), 24, 17),
            (SyntheticFaces(4, 3, 32, seed=1), 24, 16),
        ]
    }
    assert len(keys) == len(list(tmp_path.iterdir())) == 4


def test_more_pictures_than_may_wait_at_once(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    source = SyntheticFaces(8, 10, 16)
    result = pack(source, None, 16, None, progress=False)
    np.testing.assert_array_equal(result.images, np.stack([read() for _, read in source.pictures()]))


def test_progress_goes_to_the_error_stream(capsys):
    pack(faces(), 24, 16, None, progress=True)
    output = capsys.readouterr()
    assert output.out == ""
    assert "packing synthetic" in output.err


# --- pictures that don't decode ---


@pytest.fixture
def root(tmp_path) -> Path:
    """Ada has a good and a bad picture, Bo only bad ones, Cy and Di good ones."""
    root = tmp_path / "faces"
    reads = [read for _, read in faces().pictures()]
    for name, numbers in {"Ada": [0], "Cy": [1, 2], "Di": [3, 4, 5]}.items():
        (root / name).mkdir(parents=True)
        for number in numbers:
            cv2.imwrite(str(root / name / f"{number}.png"), reads[number]())
    (root / "Bo").mkdir()
    for file in BAD:
        (root / file).write_bytes(b"" if file.endswith("png") else b"not a picture")
    return root


BAD = {"Ada/bad.jpg": "no picture", "Bo/1.png": "an empty file", "Bo/2.jpeg": "no picture"}


@pytest.mark.parametrize("on_disk", [False, True])
def test_bad_pictures_are_reported_together(root, tmp_path, on_disk):
    for _ in range(2):  # the second time, the pack is there
        with pytest.raises(UserError) as caught:
            quick_pack(FolderSource(root), tmp_path / "packs" if on_disk else None)
        assert str(caught.value).startswith(
            "3 pictures don't decode: Ada/bad.jpg (no picture), Bo/1.png (an empty file), Bo/2.jpeg (no picture); "
        )
        assert "data.on_bad_image=skip" in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("on_disk", [False, True])
def test_bad_pictures_are_left_out(root, tmp_path, on_disk, caplog):
    caplog.set_level(logging.WARNING)
    result = quick_pack(FolderSource(root), tmp_path / "packs" if on_disk else None, "skip")
    assert [record.message for record in caplog.records] == [
        "3 pictures don't decode: Ada/bad.jpg (no picture), Bo/1.png (an empty file), Bo/2.jpeg (no picture); "
        "left out"
    ]
    assert list(result.names) == ["Ada", "Cy", "Di"]
    assert list(result.files) == ["Ada/0.png", "Cy/1.png", "Cy/2.png", "Di/3.png", "Di/4.png", "Di/5.png"]
    np.testing.assert_array_equal(result.identities, [0, 1, 1, 2, 2, 2])
    assert result.left_out == BAD
    for file in BAD:
        (root / file).unlink()
    clean = quick_pack(FolderSource(root), None)
    np.testing.assert_array_equal(result.images, clean.images)
    np.testing.assert_array_equal(result.fingerprints, clean.fingerprints)


def test_a_pack_made_with_skip_is_no_way_around_error(root, tmp_path):
    quick_pack(FolderSource(root), tmp_path / "packs", "skip")
    with pytest.raises(UserError, match="3 pictures don't decode"):
        quick_pack(FolderSource(root), tmp_path / "packs", "error")


def test_an_error_names_ten_bad_pictures_and_the_log_all(root, caplog):
    more = [f"Di/bad{number:02d}.jpg" for number in range(20)]
    for file in more:
        (root / file).write_bytes(b"not a picture")
    with pytest.raises(
        UserError, match=r"^23 pictures don't decode: .*Di/bad06\.jpg \(no picture\) and 13 more, .* log;"
    ):
        quick_pack(FolderSource(root), None)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message.split("\n  ")[1:] == [
        f"{file} ({BAD.get(file, 'no picture')})" for file in (*BAD, *more)
    ]
    caplog.clear()
    quick_pack(FolderSource(root), None, "skip")
    assert caplog.records[0].message == record.message
    assert caplog.records[1].message.endswith("; left out")


def test_where_no_picture_decodes_the_log_names_all(tmp_path, caplog):
    files = [f"Ada/{number:02d}.jpg" for number in range(12)]
    (tmp_path / "Ada").mkdir()
    for file in files:
        (tmp_path / file).write_bytes(b"not a picture")
    with pytest.raises(UserError, match="none of 12 pictures decodes"):
        quick_pack(FolderSource(tmp_path), None)
    assert caplog.records[0].message.split("\n  ")[1:] == [f"{file} (no picture)" for file in files]


@pytest.mark.parametrize("on_bad_image", ["error", "skip"])
def test_no_good_picture_at_all(root, tmp_path, on_bad_image):
    for name in ("Ada", "Cy", "Di"):
        shutil.rmtree(root / name)
    with pytest.raises(
        UserError, match=r"none of 2 pictures decodes: Bo/1\.png \(an empty file\), Bo/2\.jpeg \(no"
    ):
        quick_pack(FolderSource(root), tmp_path / "packs", on_bad_image)
    assert list((tmp_path / "packs").iterdir()) == []


# --- packs that are damaged, half written, or written by two ---


TABLES = ["identities.npy", "fingerprints.npy", "checksums.npy", "listing.json", "pack.json"]


@pytest.mark.parametrize("name", ["images.npy", *TABLES])
@pytest.mark.parametrize("damage", ["missing", "empty", "short", "other"])
def test_a_damaged_pack_is_made_anew(tmp_path, name, damage, caplog):
    expected = quick_pack(faces(), tmp_path)
    expected = Pack(**{**vars(expected), "images": expected.images.copy()})
    path = only_pack(tmp_path) / name
    content = path.read_bytes()
    path.unlink()
    if damage == "other":
        quick_pack(SyntheticFaces(3, 5, 32), tmp_path / "other")
        shutil.copy(only_pack(tmp_path / "other") / name, path)
        shutil.rmtree(tmp_path / "other")
    elif damage != "missing":
        path.write_bytes(content[: 0 if damage == "empty" else len(content) - 10])
    assert_same(quick_pack(faces(), tmp_path), expected)
    assert "is damaged" in caplog.text
    assert_same(quick_pack(Sealed(4, 3, 32), tmp_path), expected)
    assert len(list(tmp_path.iterdir())) == 1


class Harmful:
    def __reduce__(self):
        return (os.mkdir, ("unpickled",))


def test_nothing_is_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = quick_pack(faces(), tmp_path / "packs")
    path = only_pack(tmp_path / "packs") / "identities.npy"
    np.save(path, np.array([Harmful()], dtype=object), allow_pickle=True)
    assert_same(quick_pack(faces(), tmp_path / "packs"), expected)
    assert not (tmp_path / "unpickled").exists()


# --- what is refused ---


@pytest.mark.parametrize(
    ("values", "setting"),
    [
        ({"crop": 0}, "data.crop=0"),
        ({"size": 0}, "data.size=0"),
        ({"size": "64"}, "data.size='64'"),
        ({"on_bad_image": "ignore"}, "data.on_bad_image=ignore"),
    ],
)
def test_bad_settings_are_named_before_anything_is_decoded(values, setting):
    with pytest.raises(UserError, match=f"^{setting}: expected"):
        quick_pack(Sealed(4, 3, 32), None, **values)


def test_a_folder_that_can_not_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="packed pictures can't be written there"):
        quick_pack(faces(), tmp_path / "file")


def test_a_full_disk_is_found_before_decoding(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(UserError, match="MiB needed for packed pictures, 0 MiB free"):
        quick_pack(Sealed(40, 3, 32), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_memory_that_is_too_small_is_found_before_decoding(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "available_memory", lambda: 1000)
    with pytest.raises(UserError, match=r"^data\.cache=off: 0 MiB needed for pictures in memory, 0 MiB"):
        quick_pack(Sealed(40, 3, 32), None)
    quick_pack(faces(), tmp_path)  # on the disk there is room


def test_a_source_that_hands_out_too_few_pictures():
    class Shrunk(SyntheticFaces):
        def pictures(self) -> Iterator[tuple[int, Read]]:
            yield from list(super().pictures())[:-1]

    with pytest.raises(UserError, match="11 pictures where 12 were listed"):
        quick_pack(Shrunk(4, 3, 32), None)


def test_settings_are_written_for_the_reader(tmp_path):
    quick_pack(faces(), tmp_path)
    about = json.loads((only_pack(tmp_path) / "pack.json").read_text())
    made_of = {"source": "synthetic", "source_key": faces().key}
    assert about["settings"] == {**made_of, "crop": 24, "size": 16, "quality": None}
    assert about["shape"] == [12, 16, 16, 3]


@pytest.mark.real_faces
def test_no_picture_of_lfw_is_under_two_names(real_lfw, tmp_path):
    result = pack(real_lfw, 130, 16, tmp_path, progress=False)
    assert result.images.shape == (13233, 16, 16, 3)
    assert len(np.unique(result.fingerprints, axis=0)) == 13233


# --- JPEG records, and packs as sources ---


def by_pillow(record: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(record)).convert("RGB"))


def test_a_jpeg_pack_is_what_pillow_decodes_of_its_records(tmp_path):
    plain, made = quick_pack(faces(), None), quick_pack(faces(), tmp_path, quality=90)
    assert_same_but_images(made, plain)
    places = np.load(only_pack(tmp_path) / "spans.npy")
    records = (only_pack(tmp_path) / "images.jpegs").read_bytes()
    expected = np.stack([by_pillow(records[first:last]) for first, last in places])
    np.testing.assert_array_equal(made.images[np.arange(12)], expected)
    np.testing.assert_array_equal(made.images[np.array([7, 2, 7])], expected[[7, 2, 7]])
    assert made.images.shape == plain.images.shape
    error = np.abs(expected.astype(int) - plain.images).mean()
    assert 0 < error < 6
    # One after another, without a gap.
    assert sorted(places.ravel()) == sorted([0, *places[:, 1], *np.sort(places[:, 0])[1:]])


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_jpeg_pack_as_a_source_is_decoded_once(tmp_path, on_disk):
    made = quick_pack(faces(), tmp_path / "jpeg", quality=80)
    cache = tmp_path / "cache" if on_disk else None
    result = quick_pack(PackSource(made.folder), cache, crop=None)
    assert isinstance(result.images, np.ndarray)
    np.testing.assert_array_equal(result.images, made.images[np.arange(12)])
    assert_same_but_images(result, made)
    if on_disk:
        assert result.folder.parent == cache
        assert_same(quick_pack(PackSource(result.folder), None), result)
    assert_same(quick_pack(PackSource(made.folder), cache, crop=24), result)  # which is the pack's own


def test_records_that_do_not_fit_stay_records(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    made = quick_pack(faces(), tmp_path / "jpeg", quality=80)
    monkeypatch.setattr(room, "available_memory", lambda: 12 * 16 * 16 * 3 - 1)
    result = quick_pack(PackSource(made.folder), tmp_path / "cache", crop=None)
    assert isinstance(result.images, JpegRecords)
    assert not (tmp_path / "cache").exists()
    assert "its JPEG records are decoded at each use" in caplog.text
    monkeypatch.setattr(room, "available_memory", lambda: 12 * 16 * 16 * 3)
    pixels = quick_pack(PackSource(made.folder), tmp_path / "cache", crop=None)
    np.testing.assert_array_equal(result.images[np.arange(12)], pixels.images)
    monkeypatch.setattr(room, "available_memory", lambda: 1)
    assert_same(quick_pack(PackSource(made.folder), tmp_path / "cache", crop=None), pixels)  # it is there


def test_a_pack_as_a_source_is_used_as_it_lies(tmp_path):
    made = quick_pack(faces(), tmp_path / "packs")
    source = PackSource(only_pack(tmp_path / "packs"))
    result = quick_pack(source, tmp_path / "cache", crop=None)
    assert_same(result, made)
    assert result.folder == source.root
    assert not (tmp_path / "cache").exists()


def test_a_pack_is_cut_again_to_another_size_with_its_own_fingerprints(tmp_path):
    made = quick_pack(faces(), tmp_path / "packs", crop=24, size=32)  # larger than what was cut out
    result = quick_pack(PackSource(made.folder), tmp_path / "cache", crop=None, size=16)
    expected = np.stack([crop_and_resize(image, None, 16) for image in made.images])
    np.testing.assert_array_equal(result.images, expected)
    assert_same_but_images(result, made)
    assert PackSource(result.folder).cut == (24, 16, None)


def test_larger_images_of_a_pack_are_refused(tmp_path):
    source = PackSource(quick_pack(faces(), tmp_path).folder)
    with pytest.raises(
        UserError, match=r"^data\.size=17: the images of this pack have 16 px.* say data\.size=16 or"
    ):
        quick_pack(source, None, crop=None, size=17)


def test_another_crop_of_a_pack_is_refused(tmp_path):
    made = quick_pack(faces(), tmp_path)
    with pytest.raises(UserError, match=r"^data\.crop=20: this pack was cut with 24; say data\.crop=24, or"):
        quick_pack(PackSource(made.folder), None, crop=20)


def test_what_a_pack_left_out_is_told_again(root, tmp_path, caplog):
    made = quick_pack(FolderSource(root), tmp_path / "packs", "skip", quality=95)
    assert made.left_out == BAD
    assert len(made.damaged()) == 0
    np.testing.assert_array_equal(made.identities, [0, 1, 1, 2, 2, 2])
    clean = quick_pack(FolderSource(root), None, "skip")
    assert np.abs(made.images[np.arange(6)].astype(int) - clean.images).mean() < 6
    assert_same_but_images(made, clean)
    for cache in (None, tmp_path / "cache"):
        with pytest.raises(UserError, match="3 pictures don't decode: Ada/bad"):
            quick_pack(PackSource(made.folder), cache, crop=None)
        assert quick_pack(PackSource(made.folder), cache, "skip", crop=None).left_out == BAD


@pytest.mark.parametrize(
    ("said", "folder"),
    [
        ("auto", Path("runs/cache")),
        ("off", None),
        (False, None),
        (None, None),
        ("mine", Path("mine")),
        (Path("mine"), Path("mine")),
        ("~/mine", Path.home() / "mine"),
    ],
)
def test_where_packs_are_kept(said, folder):
    assert cache_folder(said) == folder


@pytest.mark.parametrize("said", [True, 3, "", []])
def test_what_is_no_place_to_keep_packs(said):
    with pytest.raises(UserError, match=r"^data\.cache=.*: expected a folder, auto or off$"):
        cache_folder(said)


@pytest.mark.slow
@pytest.mark.real_faces
def test_lfw_as_jpeg_is_small_and_close_to_its_pixels(real_lfw, tmp_path):
    plain = pack(real_lfw, 130, 112, tmp_path, progress=False)
    made = pack(PackSource(plain.folder), None, 112, tmp_path, progress=False, quality=90)
    assert sum(path.stat().st_size for path in made.folder.iterdir()) < 50e6
    some = np.arange(0, 13233, 40)
    squares = (made.images[some].astype(np.float32) - plain.images[some]) ** 2
    assert 10 * np.log10(255**2 / squares.mean()) > 40  # dB
