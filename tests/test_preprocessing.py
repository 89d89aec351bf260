from __future__ import annotations

import hashlib
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facenet_lit.preprocessing import crop_and_resize, decode, fingerprint, identity_fingerprint


def smooth_picture(height: int = 40, width: int = 48) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 5, y * 6, 255 - x * 3], axis=2).astype(np.uint8)


def encoded(picture: np.ndarray, suffix: str) -> bytes:
    channels = picture[..., ::-1] if picture.ndim == 3 else picture
    return cv2.imencode(suffix, channels)[1].tobytes()


def test_png_decodes_to_the_same_rgb():
    picture = smooth_picture()
    np.testing.assert_array_equal(decode(encoded(picture, ".png")), picture)


def test_jpeg_decodes_to_rgb_and_not_bgr():
    decoded = decode(encoded(smooth_picture(), ".jpg"))
    assert decoded is not None
    assert np.abs(decoded.astype(int) - smooth_picture()).mean() < 6
    assert np.abs(decoded[..., ::-1].astype(int) - smooth_picture()).mean() > 30


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_grey_becomes_three_equal_channels(suffix):
    grey = smooth_picture()[..., 0]
    decoded = decode(encoded(grey, suffix))
    assert decoded is not None
    assert decoded.shape == (40, 48, 3)
    np.testing.assert_array_equal(decoded[..., 0], decoded[..., 2])


def test_transparency_is_dropped():
    picture = smooth_picture()
    with_alpha = np.dstack([picture[..., ::-1], np.full(picture.shape[:2], 7, np.uint8)])
    np.testing.assert_array_equal(decode(cv2.imencode(".png", with_alpha)[1].tobytes()), picture)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_picture_cut_short_does_not_decode(suffix, share):
    whole = encoded(smooth_picture(), suffix)
    assert decode(whole[: int(share * len(whole))]) is None


def test_other_bytes_do_not_decode():
    assert decode(b"this is no picture") is None
    assert decode(b"\xff\xd8\xff\xff") is None


def test_a_thumbnail_in_a_segment_is_no_end_of_a_cut_jpeg():
    whole = encoded(smooth_picture(), ".jpg")
    thumbnail = encoded(smooth_picture(8, 8), ".jpg")
    segment = b"\xff\xe2" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    with_thumbnail = whole[:2] + segment + whole[2:]
    assert decode(with_thumbnail) is not None
    assert decode(with_thumbnail[:-200]) is None


def test_bytes_after_a_jpeg_do_no_harm():
    whole = encoded(smooth_picture(), ".jpg")
    np.testing.assert_array_equal(decode(whole + b"\xff\xda trailing"), decode(whole))


@given(height=st.integers(1, 40), width=st.integers(1, 40), crop=st.none() | st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_crop_is_the_centred_square_that_fits(height, width, crop):
    picture = np.arange(height * width * 3).reshape(height, width, 3).astype(np.uint8)
    side = min(height, width, crop or 99)
    result = crop_and_resize(picture, crop, side)  # no resizing
    top, left = (height - side) // 2, (width - side) // 2
    np.testing.assert_array_equal(result, picture[top : top + side, left : left + side])
    # Centred: what is cut off on opposite sides differs by a row or column at most.
    assert 0 <= (height - side - top) - top <= 1
    assert 0 <= (width - side - left) - left <= 1


def test_shrinking_by_a_whole_factor_averages_blocks():
    picture = smooth_picture(48, 48)
    blocks = picture.reshape(16, 3, 16, 3, 3).mean(axis=(1, 3))
    result = crop_and_resize(picture, None, 16)
    np.testing.assert_allclose(result, blocks, atol=0.51)


def test_growing_keeps_to_the_range_between_neighbours():
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[:, 1] = 200
    result = crop_and_resize(picture, 2, 8)
    assert result.shape == (8, 8, 3)
    assert (np.diff(result[0, :, 0].astype(int)) >= 0).all()
    assert len(np.unique(result)) > 2  # interpolated, not repeated


def test_fingerprint_is_of_pixels_and_shape():
    picture = smooth_picture(6, 8)
    expected = hashlib.sha256(struct.pack("<3I", 6, 8, 3) + picture.tobytes()).digest()
    assert fingerprint(picture) == expected
    assert fingerprint(picture.reshape(8, 6, 3)) != expected
    changed = picture.copy()
    changed[0, 0, 0] += 1
    assert fingerprint(changed) != expected


def test_fingerprint_does_not_depend_on_memory_order():
    picture = smooth_picture(20, 20)
    assert fingerprint(picture[::2, ::2]) == fingerprint(picture[::2, ::2].copy())


def test_identity_fingerprint_is_sha256_of_utf8():
    assert identity_fingerprint("Zoë_Ødegård") == hashlib.sha256("Zoë_Ødegård".encode()).digest()
    assert len(identity_fingerprint("odd\udc80name")) == 32
