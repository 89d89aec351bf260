from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from facenet_lit.sources.checksums import checksum
from facenet_lit.sources.jpeg_records import JpegRecords, JpegWriter, encode_jpeg
from facenet_lit.sources.pack_files import Pack, open_pack, publish, read_about, read_pack, write_tables


def example(value: int = 0) -> Pack:
    return Pack(
        images=np.random.default_rng(value).integers(0, 256, (3, 16, 16, 3), np.uint8),
        identities=np.array([0, 0, 1]),
        names=("Ada", "odd\udc80name"),
        files=("Ada/1.jpg", "Ada/2.jpg", "odd\udc80name/1.jpg"),
        fingerprints=np.arange(96, dtype=np.uint8).reshape(3, 32),
        key="some key",
        left_out={"Bo/1.jpg": "cut short"},
        settings={"size": 16},
    )


def write(folder: Path, pack: Pack, jpeg: bool = False) -> Path:
    folder.mkdir()
    records = [encode_jpeg(image, 90) if jpeg else image for image in pack.images]
    marks = [mark.tobytes() for mark in pack.fingerprints]
    sums = b"".join(checksum(record, mark) for record, mark in zip(records, marks, strict=True))
    np.save(folder / "fingerprints.npy", pack.fingerprints)
    np.save(folder / "checksums.npy", np.frombuffer(sums, np.uint8).reshape(-1, 16))
    if jpeg:
        writer = JpegWriter(folder, len(records), 16)
        for number, record in enumerate(records):
            writer.put(number, record)
        writer.close()
        images = JpegRecords(folder, np.load(folder / "spans.npy"), 16)
        pack = dataclasses.replace(pack, images=images)
    else:
        np.save(folder / "images.npy", pack.images)
    write_tables(folder, pack)
    return folder


@pytest.mark.parametrize("jpeg", [False, True])
def test_a_pack_is_read_as_written(tmp_path, jpeg):
    written = example()
    found = open_pack(write(tmp_path / "pack", written, jpeg), "some key")
    assert found is not None
    for name in ("identities", "fingerprints"):
        np.testing.assert_array_equal(getattr(found, name), getattr(written, name))
    for name in ("names", "files", "left_out", "key", "settings"):
        assert getattr(found, name) == getattr(written, name)
    assert found.folder == tmp_path / "pack"
    assert isinstance(found.images, JpegRecords) == jpeg
    if not jpeg:
        np.testing.assert_array_equal(found.images, written.images)
    expected = encode_jpeg(written.images[1], 90) if jpeg else written.images[1].tobytes()
    assert found.record(1).tobytes() == expected
    assert found.damaged().tolist() == []
    assert written.damaged().tolist() == []  # in memory


@pytest.mark.parametrize("jpeg", [False, True])
def test_one_changed_byte_of_an_image_is_found(tmp_path, jpeg):
    folder = write(tmp_path / "pack", example(), jpeg)
    with open(folder / ("images.jpegs" if jpeg else "images.npy"), "r+b") as file:
        place = np.load(folder / "spans.npy")[1][1] - 9 if jpeg else 128 + 2 * 768 - 1
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 4]))
    found = open_pack(folder, "some key")
    assert found is not None  # every image is read only where that is asked for
    assert found.damaged().tolist() == [1]


def test_the_sums_of_the_tables_are_those_of_sha256(tmp_path):
    folder = write(tmp_path / "pack", example(), jpeg=True)
    told = json.loads((folder / "pack.json").read_text())["sha256"]
    files = {path.name for path in folder.iterdir()} - {"pack.json", "images.jpegs"}
    assert told == {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}


def test_no_pack_is_no_damage(tmp_path, caplog):
    assert open_pack(tmp_path / "nowhere", "some key") is None
    assert caplog.records == []


def rewritten(folder: Path, name: str, array: np.ndarray) -> None:
    """Replaces an array, its SHA-256 and length too: what is left to find is that the parts don't fit."""
    np.save(folder / f"{name}.npy", array)
    about = json.loads((folder / "pack.json").read_text())
    content = (folder / f"{name}.npy").read_bytes()
    if name == "images":
        about["bytes"] = len(content)
    else:
        about["sha256"][f"{name}.npy"] = hashlib.sha256(content).hexdigest()
    (folder / "pack.json").write_text(json.dumps(about))


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("images", np.zeros((3, 16, 17, 3), np.uint8)),
        ("images", np.zeros((3, 16, 16, 3), np.int8)),
        ("images", np.zeros((2, 16, 16, 3), np.uint8)),
        ("identities", np.array([0, 0, 2])),
        ("identities", np.array([0, 0, -1])),
        ("identities", np.array([0, 0, 0])),
        ("identities", np.array([0, 1])),
        ("fingerprints", np.zeros((2, 32), np.uint8)),
        ("checksums", np.zeros((4, 16), np.uint8)),
    ],
)
def test_arrays_that_do_not_fit_are_damage(tmp_path, name, array, caplog):
    folder = write(tmp_path / "pack", example())
    rewritten(folder, name, array)
    assert open_pack(folder, "some key") is None
    assert "is damaged" in caplog.text


@pytest.mark.parametrize(
    "name", ["identities.npy", "fingerprints.npy", "checksums.npy", "listing.json", "spans.npy"]
)
def test_one_changed_byte_of_a_table_is_damage(tmp_path, name, caplog):
    folder = write(tmp_path / "pack", example(), jpeg=True)
    content = bytearray((folder / name).read_bytes())
    content[-2] ^= 1
    (folder / name).write_bytes(content)
    assert open_pack(folder, "some key") is None
    assert f"{name} and pack.json differ" in caplog.text


@pytest.mark.parametrize("jpeg", [False, True])
@pytest.mark.parametrize("change", [lambda content: content[:-1], lambda content: content + b"x"])
def test_images_of_another_length_are_damage(tmp_path, jpeg, change, caplog):
    folder = write(tmp_path / "pack", example(), jpeg)
    path = folder / ("images.jpegs" if jpeg else "images.npy")
    path.write_bytes(change(path.read_bytes()))
    assert open_pack(folder, "some key") is None
    assert "its images are cut short, or longer" in caplog.text


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 3}', '{"format": 2}', "null", "\x00"])
def test_other_json_is_damage(tmp_path, text, caplog):
    folder = write(tmp_path / "pack", example())
    (folder / "pack.json").write_text(text)
    assert open_pack(folder, "some key") is None
    assert "is damaged" in caplog.text
    with pytest.raises(ValueError, match=r"."):
        read_pack(folder)


def test_another_key_is_damage(tmp_path):
    folder = write(tmp_path / "pack", example())
    assert open_pack(folder, "other key") is None
    assert read_pack(folder).key == "some key"


def test_what_a_pack_says_of_itself(tmp_path):
    about = read_about(write(tmp_path / "pack", example()))
    assert about["settings"] == {"size": 16}
    assert about["shape"] == [3, 16, 16, 3]


def test_publishing_into_an_empty_place(tmp_path):
    (tmp_path / "partial").mkdir()
    publish(write(tmp_path / "partial" / "pack", example(5)), tmp_path / "pack")
    np.testing.assert_array_equal(read_pack(tmp_path / "pack").images, example(5).images)
    assert list((tmp_path / "partial").iterdir()) == []


def test_what_lies_there_is_moved_aside(tmp_path):
    (tmp_path / "partial").mkdir()
    (write(tmp_path / "pack", example(1)) / "images.npy").unlink()
    publish(write(tmp_path / "partial" / "pack", example(2)), tmp_path / "pack")
    np.testing.assert_array_equal(read_pack(tmp_path / "pack").images, example(2).images)
    assert [path.name for path in (tmp_path / "partial").iterdir()] == ["damaged"]
