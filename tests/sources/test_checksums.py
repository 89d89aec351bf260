from __future__ import annotations

import hashlib

import numpy as np
import pytest

from facenet_lit.sources.checksums import SIZE, as_bytes, checksum, differing


def test_a_checksum_is_blake2b_of_image_and_fingerprint():
    image = np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8)
    mark = bytes(range(32))
    expected = hashlib.blake2b(image.tobytes() + mark, digest_size=16).digest()
    assert checksum(image, mark) == checksum(image.tobytes(), mark) == expected
    assert len(expected) == SIZE
    assert bytes(as_bytes(image)) == image.tobytes()
    assert as_bytes(b"abc") == b"abc"


@pytest.mark.parametrize("count", [0, 1, 700])
def test_every_change_is_found_and_nothing_else(count):
    generator = np.random.default_rng(count)
    images = generator.integers(0, 256, (count, 4, 4, 3), np.uint8)
    marks = generator.integers(0, 256, (count, 32), np.uint8)
    rows = [checksum(image, mark.tobytes()) for image, mark in zip(images, marks, strict=True)]
    sums = np.frombuffer(b"".join(rows), np.uint8).reshape(count, SIZE).copy()
    everyone = np.arange(count)
    assert differing(images.__getitem__, marks, sums, everyone).tolist() == []
    if count < 3:
        return
    images[5, 3, 3, 2] ^= 1
    marks[300, 0] ^= 128
    sums[699, 15] ^= 1
    assert differing(images.__getitem__, marks, sums, everyone).tolist() == [5, 300, 699]
    assert differing(images.__getitem__, marks, sums, np.array([4, 300, 5])).tolist() == [300, 5]
