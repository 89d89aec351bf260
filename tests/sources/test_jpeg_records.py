from __future__ import annotations

import io
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from facenet_lit.errors import UserError
from facenet_lit.sources.jpeg_records import JpegRecords, JpegWriter, decode_jpeg, encode_jpeg
from facenet_lit.sources.synthetic import SyntheticFaces


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.stack([read() for _, read in SyntheticFaces(4, 3, 40).pictures()])


def test_a_jpeg_is_of_the_image_its_channels_in_order(images):
    for image in images:
        encoded = encode_jpeg(image, 95)
        decoded = np.array(Image.open(io.BytesIO(encoded)))
        assert np.abs(decoded.astype(int) - image).mean() < 5
        np.testing.assert_array_equal(decode_jpeg(np.frombuffer(encoded, np.uint8)), decoded)
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    decoded = decode_jpeg(np.frombuffer(encode_jpeg(red, 95), np.uint8))
    assert decoded[..., 0].min() > 240
    assert decoded[..., 1:].max() < 20


def test_less_quality_is_less_bytes(images):
    sizes = [sum(len(encode_jpeg(image, quality)) for image in images) for quality in (30, 60, 90, 100)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] / 2
    plain = [cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1] for image in images]
    assert sizes[2] < sum(map(len, plain))


@pytest.mark.parametrize("damage", [b"", b"no JPEG"])
def test_what_is_no_jpeg(damage):
    assert decode_jpeg(np.frombuffer(damage, np.uint8)) is None


def written(folder: Path, images: np.ndarray, order: list[int]) -> JpegRecords:
    writer = JpegWriter(folder, len(images), images.shape[1])
    for number in order:
        writer.put(number, encode_jpeg(images[number], 90))
    writer.close()
    return JpegRecords(folder, np.load(folder / "spans.npy"), images.shape[1])


def test_records_index_as_an_array_of_what_another_library_decodes(tmp_path, images):
    records = written(tmp_path, images, [3, 0, 1, 2, *range(11, 3, -1)])
    expected = np.stack([np.array(Image.open(io.BytesIO(encode_jpeg(image, 90)))) for image in images])
    assert len(records) == 12
    assert records.shape == expected.shape
    for numbers in (np.arange(12), np.array([5]), np.array([7, 7, 0]), np.zeros(0, np.int64)):
        np.testing.assert_array_equal(records[numbers], expected[numbers])
        assert records[numbers].dtype == np.uint8


def test_another_process_opens_the_file_itself(tmp_path, images):
    records = written(tmp_path, images, list(range(12)))
    expected = records[np.arange(12)]
    pickled = pickle.dumps(records)
    assert len(pickled) < 1500  # the places, not the bytes of the file
    np.testing.assert_array_equal(pickle.loads(pickled)[np.arange(12)], expected)


def test_a_damaged_record_is_told(tmp_path, images):
    records = written(tmp_path, images, list(range(12)))
    path = tmp_path / "images.jpegs"
    first, _ = np.load(tmp_path / "spans.npy")[4]
    path.write_bytes(path.read_bytes()[:first] + bytes(path.stat().st_size - first))
    records = JpegRecords(tmp_path, np.load(tmp_path / "spans.npy"), 40)
    assert len(records[np.arange(4)]) == 4
    with pytest.raises(UserError, match=r"images\.jpegs: image 4 is damaged; copy or prepare"):
        records[np.array([1, 4])]
    other = JpegRecords(tmp_path, np.load(tmp_path / "spans.npy"), 41)
    with pytest.raises(UserError, match="image 0 is damaged"):
        other[np.array([0])]


def test_an_unbroken_file_and_one_gone_on_with_are_the_same(tmp_path, images):
    for name in ("unbroken", "broken"):
        (tmp_path / name).mkdir()
    written(tmp_path / "unbroken", images, list(range(12)))
    written(tmp_path / "broken", images, list(range(5)))
    with open(tmp_path / "broken" / "images.jpegs", "ab") as file:
        file.write(b"half a record")
    writer = JpegWriter(tmp_path / "broken", 12, 40)
    assert bytes(writer.record(4)) == encode_jpeg(images[4], 90)
    writer.keep(np.arange(5))
    for number in range(5, 12):
        writer.put(number, encode_jpeg(images[number], 90))
    writer.close()
    for name in ("images.jpegs", "spans.npy"):
        assert (tmp_path / "unbroken" / name).read_bytes() == (tmp_path / "broken" / name).read_bytes()


def test_places_without_a_file_point_to_nothing(tmp_path):
    writer = JpegWriter(tmp_path, 3, 40)
    assert [len(writer.record(number)) for number in range(3)] == [0, 0, 0]
    writer.close()
