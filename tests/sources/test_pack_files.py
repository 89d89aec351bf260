from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facenet_lit.errors import UserError
from facenet_lit.sources.pack_files import Pack, open_pack, partial_of, publish, write_tables


def example(value: int = 0) -> Pack:
    return Pack(
        images=np.full((3, 4, 4, 3), value, np.uint8),
        identities=np.array([0, 0, 1]),
        names=("Ada", "odd\udc80name"),
        files=("Ada/1.jpg", "Ada/2.jpg", "odd\udc80name/1.jpg"),
        fingerprints=np.arange(96, dtype=np.uint8).reshape(3, 32),
        key="some key",
        left_out={"Bo/1.jpg": "cut short"},
    )


def write(folder: Path, pack: Pack) -> Path:
    folder.mkdir()
    np.save(folder / "images.npy", pack.images)
    write_tables(pack, folder, {"size": 4})
    return folder


def test_a_pack_is_read_as_written(tmp_path):
    written = example()
    found = open_pack(write(tmp_path / "pack", written), "some key")
    assert found is not None
    for name in ("images", "identities", "fingerprints"):
        np.testing.assert_array_equal(getattr(found, name), getattr(written, name))
    assert (found.names, found.files, found.left_out) == (written.names, written.files, written.left_out)


def test_no_pack_is_no_damage(tmp_path, caplog):
    assert open_pack(tmp_path / "nowhere", "some key") is None
    assert caplog.records == []


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("images", np.zeros((3, 4, 5, 3), np.uint8)),
        ("images", np.zeros((3, 4, 4, 3), np.int8)),
        ("images", np.zeros((2, 4, 4, 3), np.uint8)),
        ("identities", np.array([0, 0, 2])),
        ("identities", np.array([0, 0, -1])),
        ("identities", np.array([0, 0, 0])),
        ("identities", np.array([0.0, 0.0, 1.0])),
        ("identities", np.array([0, 1])),
        ("fingerprints", np.zeros((3, 31), np.uint8)),
    ],
)
def test_arrays_that_do_not_fit_are_damage(tmp_path, name, array, caplog):
    folder = write(tmp_path / "pack", example())
    np.save(folder / f"{name}.npy", array)
    assert open_pack(folder, "some key") is None
    assert "is damaged" in caplog.text


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}', "null", "\x00"])
def test_other_json_is_damage(tmp_path, text, caplog):
    folder = write(tmp_path / "pack", example())
    (folder / "pack.json").write_text(text)
    assert open_pack(folder, "some key") is None
    assert "is damaged" in caplog.text


def test_another_key_is_damage(tmp_path):
    assert open_pack(write(tmp_path / "pack", example()), "other key") is None


def test_publishing_into_an_empty_place(tmp_path):
    found = publish(write(tmp_path / "part", example(5)), tmp_path / "pack", "some key")
    assert found.images.max() == 5
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]


def test_whoever_was_first_is_kept(tmp_path):
    write(tmp_path / "pack", example(1))
    assert publish(write(tmp_path / "part", example(2)), tmp_path / "pack", "some key").images.max() == 1


def test_a_damaged_pack_is_replaced(tmp_path):
    (write(tmp_path / "pack", example(1)) / "images.npy").unlink()
    assert publish(write(tmp_path / "part", example(2)), tmp_path / "pack", "some key").images.max() == 2
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]


def test_publishing_a_damaged_pack_is_an_error(tmp_path):
    part = write(tmp_path / "part", example())
    (part / "pack.json").unlink()
    with pytest.raises(UserError, match="pack: a damaged pack; delete that folder and run again"):
        publish(part, tmp_path / "pack", "some key")


def test_partial_names_are_new_and_beside():
    names = {partial_of(Path("/some/pack")) for _ in range(5)}
    assert len(names) == 5
    assert all(name.parent == Path("/some") and name.name.startswith("pack.") for name in names)
