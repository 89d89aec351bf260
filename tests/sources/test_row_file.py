from __future__ import annotations

import numpy as np
import pytest

from facenet_lit.sources.row_file import RowFile


def test_rows_written_in_any_order_are_an_array_of_numpy(tmp_path):
    expected = np.random.default_rng(0).integers(0, 256, (50, 5, 4, 3), np.uint8)
    file = RowFile(tmp_path / "a.npy", expected.shape, np.uint8)
    assert not file.rows.any()
    for number in np.random.default_rng(1).permutation(50).tolist():
        file.put(number, expected[number] if number % 2 else expected[number].tobytes())
    np.testing.assert_array_equal(file.rows, expected)
    np.testing.assert_array_equal(file.record(7), expected[7])
    file.close()
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), expected)


def test_other_numbers_than_bytes(tmp_path):
    file = RowFile(tmp_path / "a.npy", (3, 2), np.int64)
    file.put(2, np.array([7, 1 << 40]).tobytes())
    file.close()
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), [[0, 0], [0, 0], [7, 1 << 40]])


def test_what_an_earlier_process_wrote_is_found(tmp_path):
    for number in range(2):
        file = RowFile(tmp_path / "a.npy", (3, 4), np.uint8)
        file.put(number, bytes([number + 1] * 4))
        file.close()
    np.testing.assert_array_equal(file.rows, [[1] * 4, [2] * 4, [0] * 4])


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:20]),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: np.save(path, np.ones((3, 5), np.uint8)),
        lambda path: np.save(path, np.ones((3, 4), np.int8)),
    ],
)
def test_what_does_not_fit_is_made_anew(tmp_path, damage):
    path = tmp_path / "a.npy"
    np.save(path, np.ones((3, 4), np.uint8))
    damage(path)
    file = RowFile(path, (3, 4), np.uint8)
    assert not file.rows.any()
    file.put(1, bytes([9] * 4))
    file.close()
    np.testing.assert_array_equal(np.load(path), [[0] * 4, [9] * 4, [0] * 4])


def test_a_full_disk_is_an_error(tmp_path):
    file = RowFile(tmp_path / "a.npy", (3, 4), np.uint8)
    file.close()
    with open("/dev/full", "wb") as full:
        file._descriptor = full.fileno()
        with pytest.raises(OSError, match=r"No space left|Illegal seek|Invalid argument"):
            file.put(0, bytes(4))
