from __future__ import annotations

import hashlib
import io
import itertools
import struct
import zlib
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facenet_lit.preprocessing import (
    composed,
    crop_and_resize,
    decode,
    fingerprint,
    identity_fingerprint,
    to_eight_bits,
    why_undecodable,
)


def smooth_picture(height: int = 40, width: int = 48) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 5, y * 6, 255 - x * 3], axis=2).astype(np.uint8)


def encoded(picture: np.ndarray, suffix: str) -> bytes:
    channels = picture[..., ::-1] if picture.ndim == 3 else picture
    return cv2.imencode(suffix, channels)[1].tobytes()


LOSSLESS = (".png", ".bmp", ".webp", ".tiff", ".ppm")


def encode_webp(picture: np.ndarray) -> bytes:
    return cv2.imencode(".webp", picture[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()  # lossless


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_lossless_formats_decode_to_the_same_rgb(suffix):
    picture = smooth_picture()
    whole = encode_webp(picture) if suffix == ".webp" else encoded(picture, suffix)
    np.testing.assert_array_equal(decode(whole), picture)


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".ppm", ".pgm"])
def test_16_bits_are_scaled_and_rounded(suffix):
    picture = np.random.default_rng(0).integers(0, 1 << 16, (40, 48, 3)).astype(np.uint16)
    picture[0, :5] = [
        [0, 128, 129],
        [385, 386, 32767],
        [32768, 65149, 65150],
        [65406, 65407, 65535],
        [1, 2, 3],
    ]
    picture = picture[..., :1] if suffix == ".pgm" else picture
    expected = np.array([[[round(Fraction(int(v), 257)) for v in pixel] for pixel in row] for row in picture])
    decoded = decode(encoded(picture.squeeze(), suffix))
    np.testing.assert_array_equal(decoded, np.broadcast_to(expected, (40, 48, 3)))


def test_levels_of_a_pgm_are_scaled_by_its_maximum():
    assert decode(b"P5 4 1 15\n\x00\x01\x08\x0f").tolist() == [[[v] * 3 for v in (0, 17, 136, 255)]]
    assert decode(b"P4 3 1\n\xa0").tolist() == [[[v] * 3 for v in (0, 255, 0)]]


@given(white=st.integers(1, 65535), value=st.integers(0, 65535))
def test_to_eight_bits_is_the_nearest(white, value):
    value = min(value, white)
    found = int(to_eight_bits(np.array([value], np.uint16), white)[0])
    assert abs(Fraction(value * 255, white) - found) <= Fraction(1, 2)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 3)])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_numbers_with_a_point_do_not_decode_and_are_named(shape, kind):
    whole = cv2.imencode(".tiff", np.ones(shape, kind))[1].tobytes()
    assert decode(whole) is None
    assert why_undecodable(whole) == f"pixels of {np.dtype(kind)}, not of 8 or 16 bits"


# How a picture that is upright was turned before it was stored, by EXIF's tag Orientation (JEITA CP-3451, 4.6.4).
TURNED = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, 1),
    7: lambda p: p.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda p: np.rot90(p, -1),
}


def exif(orientation: int) -> bytes:
    """A TIFF header and one directory, in either order of bytes, whose one entry is the orientation."""
    order, mark = ("<", b"II") if orientation % 2 else (">", b"MM")
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    return mark + struct.pack(f"{order}HIH", 42, 8, 1) + entry + struct.pack(f"{order}I", 0)


@pytest.mark.parametrize("orientation", TURNED)
def test_exif_turns_a_jpeg_upright(orientation):
    stored = np.ascontiguousarray(TURNED[orientation](smooth_picture()))
    plain = encoded(stored, ".jpg")
    content = b"Exif\0\0" + exif(orientation)
    segment = b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content
    decoded = decode(plain[:2] + segment + plain[2:])
    assert decoded.shape == smooth_picture().shape
    assert np.abs(decoded.astype(int) - smooth_picture()).mean() < 6


@pytest.mark.parametrize("orientation", TURNED)
def test_exif_turns_a_png_upright(orientation):
    plain = encoded(np.ascontiguousarray(TURNED[orientation](smooth_picture())), ".png")
    content = b"eXIf" + exif(orientation)
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    place = plain.index(b"IDAT") - 4
    np.testing.assert_array_equal(decode(plain[:place] + chunk + plain[place:]), smooth_picture())


# --- against another decoder, which comes with matplotlib ---


def pillow_bytes(
    kind: str, picture: np.ndarray | None = None, mode: str | None = None, **more: object
) -> bytes:
    image = pytest.importorskip("PIL.Image")
    made = image.fromarray(smooth_picture() if picture is None else picture)
    file = io.BytesIO()
    (made if mode is None else made.convert(mode)).save(file, kind, **more)
    return file.getvalue()


def by_pillow(whole: bytes) -> np.ndarray:
    image, operations = pytest.importorskip("PIL.Image"), pytest.importorskip("PIL.ImageOps")
    return np.asarray(operations.exif_transpose(image.open(io.BytesIO(whole))).convert("RGB"))


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "JPEG", "PNG"])
def test_exif_as_pillow_reads_it(kind, orientation):
    image = pytest.importorskip("PIL.Image")
    tags = image.Exif()
    tags[0x0112] = orientation
    whole = pillow_bytes(kind, exif=tags, **({"lossless": True} if kind == "WEBP" else {}))
    np.testing.assert_array_equal(decode(whole), by_pillow(whole))


@pytest.mark.parametrize("transform", [0, 2])  # CMYK, and YCCK
def test_cmyk_jpeg_as_pillow_reads_it(transform):
    whole = bytearray(pillow_bytes("JPEG", mode="CMYK", quality=95))
    whole[whole.index(b"Adobe") + 11] = transform
    expected = by_pillow(bytes(whole)).astype(int)
    assert np.abs(decode(bytes(whole)).astype(int) - expected).max() <= 1
    if transform == 0:
        assert np.abs(expected - smooth_picture()).mean() < 6  # the colours themselves, not their negative


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *itertools.product(["PNG", "TIFF", "BMP"], ["P", "1", "L"]),
        *[("PNG", "LA"), ("TIFF", "CMYK"), ("JPEG", "L"), ("WEBP", "RGB")],
    ],
)
def test_kinds_of_pixels_as_pillow_reads_them(kind, mode):
    whole = pillow_bytes(kind, mode=mode)
    np.testing.assert_array_equal(decode(whole), by_pillow(whole))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP"])
def test_colours_below_transparency_stay(kind):
    alpha = np.where(np.arange(48) < 20, 0, 128).astype(np.uint8)
    clear = np.dstack([smooth_picture(), np.broadcast_to(alpha, (40, 48))])
    whole = pillow_bytes(kind, clear, **({"lossless": True, "exact": True} if kind == "WEBP" else {}))
    np.testing.assert_array_equal(decode(whole), smooth_picture())


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_picture_is_taken(kind):
    image = pytest.importorskip("PIL.Image")
    more = {"lossless": True} if kind == "WEBP" else {}
    whole = pillow_bytes(kind, save_all=True, append_images=[image.fromarray(255 - smooth_picture())], **more)
    np.testing.assert_array_equal(decode(whole), smooth_picture())


def test_a_gif_is_named_as_what_it_is():
    whole = pillow_bytes("GIF")
    assert decode(whole) is None
    assert why_undecodable(whole) == "a GIF"


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


@pytest.mark.parametrize("suffix", [".jpg", *LOSSLESS])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.5, 0.9, 0.99])
def test_a_picture_cut_short_does_not_decode(suffix, share):
    whole = encoded(smooth_picture(), suffix)
    cut = whole[: int(share * len(whole))]
    assert decode(cut) is None
    assert why_undecodable(cut) in ("an empty file", "no picture", "cut short", "damaged or cut short")


def test_a_damaged_picture_does_not_decode(capfd):
    damaged = bytearray(encoded(smooth_picture(), ".png"))
    damaged[damaged.index(b"IDAT") + 40] ^= 0xFF
    assert decode(bytes(damaged)) is None
    assert why_undecodable(bytes(damaged)) == "damaged or cut short"
    assert decode(encoded(smooth_picture(), ".bmp")[:-1]) is None
    assert "loadsave" not in capfd.readouterr().err  # OpenCV's own lines


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


def test_a_name_has_one_fingerprint_in_every_form_of_unicode():
    whole, parted = "Zo\u00eb \u00c5ngstr\u00f6m", "Zoe\u0308 A\u030angstro\u0308m"
    assert composed(parted) == composed(whole) == whole
    assert identity_fingerprint(parted) == identity_fingerprint(whole)
    assert identity_fingerprint("Zoe Angstrom") != identity_fingerprint(whole)
    assert composed("odd\udc80name") == "odd\udc80name"
