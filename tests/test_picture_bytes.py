from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.picture_bytes import MOST_PIXELS, find_fault, is_netpbm

PICTURE = np.arange(20 * 30 * 3).reshape(20, 30, 3).astype(np.uint8)
SUFFIXES = (".jpg", ".png", ".bmp", ".webp", ".tiff", ".pgm", ".ppm", ".pbm")


def encoded(suffix: str) -> bytes:
    picture = PICTURE[..., 0] if suffix in (".pgm", ".pbm") else PICTURE
    return cv2.imencode(suffix, picture)[1].tobytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_speaks_against_a_whole_picture(suffix):
    assert find_fault(encoded(suffix)) is None
    assert is_netpbm(encoded(suffix)) == (suffix in (".pgm", ".ppm", ".pbm"))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_what_was_cut_anywhere_is_not_whole(suffix):
    whole = encoded(suffix)
    faults = {find_fault(whole[:length]) for length in range(16, len(whole))}
    assert faults == {"cut short"}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "an empty file"),
        (b"once upon a time", "no picture"),
        (b"P7\nWIDTH 1\n", "no picture"),
        (b"GIF89a...", "a GIF"),
        (b"\0\0\0\x18ftypheic", "HEIC, AVIF or a film"),
        (b"\n<!DOCTYPE html><title>404</title>", "a web page"),
        (b"<HTML>", "a web page"),
        (b"RIFF\0\0\0\0WAVE", "no picture"),
        (b"BM", "cut short"),
    ],
)
def test_what_else_is_met_is_named(content, fault):
    assert find_fault(content) == fault


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def jpeg(width: int, height: int) -> bytes:
    whole = bytearray(encoded(".jpg"))
    struct.pack_into(">HH", whole, whole.index(b"\xff\xc0") + 5, height, width)
    return bytes(whole)


def bmp(width: int, height: int) -> bytes:
    whole = bytearray(encoded(".bmp"))
    struct.pack_into("<ii", whole, 18, width, -height)
    return bytes(whole)


def bmp_of_os2(width: int, height: int) -> bytes:
    """The header of 12 bytes, with sides of 16 bits, and no pixels."""
    return b"BM" + struct.pack("<IHHI", 26, 0, 0, 26) + struct.pack("<IHHHH", 12, width, height, 1, 24)


def tiff(width: int, height: int) -> bytes:
    """Big-endian, its sides of 32 bits, and before them another tag."""
    entries = [(254, 4, 0), (256, 4, width), (257, 4, height)]
    packed = b"".join(struct.pack(">HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"MM\0*" + struct.pack(">IH", 8, len(entries)) + packed + bytes(4)


def tiff_of_short_sides(width: int, height: int) -> bytes:
    """Little-endian, its sides of 16 bits, and its directory at the end."""
    packed = b"".join(
        struct.pack("<HHIHH", tag, 3, 1, side, 0) for tag, side in ((256, width), (257, height))
    )
    return b"II*\0" + struct.pack("<I", 20) + bytes(12) + struct.pack("<H", 2) + packed + bytes(4)


@pytest.mark.parametrize("made", [png, jpeg, bmp, bmp_of_os2, tiff, tiff_of_short_sides])
def test_what_is_too_large_is_told_from_its_header(made):
    side = 1 << 14
    assert side * side == MOST_PIXELS
    assert find_fault(made(side, side)) is None
    assert find_fault(made(side, side + 1)) == f"{side * (side + 1)} pixels, more than {MOST_PIXELS}"
    assert find_fault(made(65000, 60000)) == f"3900000000 pixels, more than {MOST_PIXELS}"


@given(
    st.sampled_from([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF", b"II*\0", b"P5 "]), st.binary()
)
def test_no_bytes_are_too_odd(begin, rest):
    assert find_fault(begin + rest) is None or isinstance(find_fault(begin + rest), str)
