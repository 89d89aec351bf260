"""What the bytes of a picture tell before it is decoded: of which format it is, and what is wrong with it.

OpenCV tells its caller nothing but that it failed, fills up a JPEG that was cut short with grey, and reads
other formats in one build than in the next. So what is not whole, not of the formats read here, or too large
to be decoded is found here, with a reason that can be told.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

READ = "JPEG, PNG, BMP, WebP, TIFF, PBM, PGM or PPM"

# So many pixels are 0.8 GB decoded, in each of the threads that decode. No WebP can have more.
MOST_PIXELS = 1 << 28


class _Format(NamedTuple):
    """How a format's files begin; whether one is there to its end; how many pixels its header promises."""

    begins: re.Pattern[bytes]
    is_whole: Callable[[bytes], bool]
    pixels: Callable[[bytes], int]


def find_fault(encoded: bytes) -> str | None:
    """Why bytes are no picture that can be decoded, in a few words; None where nothing speaks against it.

    Of a TIFF, BMP or PNM only the decoder tells whether it was cut short.
    """
    if not encoded:
        return "an empty file"
    found = next((known for known in _FORMATS if known.begins.match(encoded)), None)
    if found is None:
        return next((what for begins, what in _OTHERS if begins.match(encoded)), "no picture")
    try:
        if not found.is_whole(encoded):
            return "cut short"
        count = found.pixels(encoded)
    except struct.error:  # the header itself was cut
        return "cut short"
    return f"{count} pixels, more than {MOST_PIXELS}" if count > MOST_PIXELS else None


def is_netpbm(encoded: bytes) -> bool:
    """Whether bytes begin as a PBM, PGM or PPM does."""
    return _NETPBM.match(encoded) is not None


def _segments(encoded: bytes) -> Iterator[tuple[int, int]]:
    """Marker and place of a JPEG's segments, to the start of the first scan (ISO/IEC 10918-1, annex B).

    They are walked by their lengths, because a thumbnail inside one has markers too.
    """
    place = 2
    while place + 4 <= len(encoded) and encoded[place] == 0xFF:
        marker = encoded[place + 1]
        yield marker, place
        if marker == 0xDA:
            return
        # 0xFF before a marker is padding; every other segment states its length, itself included.
        place += 1 if marker == 0xFF else 2 + int.from_bytes(encoded[place + 2 : place + 4], "big")


def _jpeg_is_whole(encoded: bytes) -> bool:
    """Whether an end marker follows the start of the first scan."""
    scans = (place for marker, place in _segments(encoded) if marker == 0xDA)
    return any(encoded.find(b"\xff\xd9", place) >= 0 for place in scans)


def _jpeg_pixels(encoded: bytes) -> int:
    # Frame headers have markers 0xC0 to 0xCF, of which three are tables.
    frames = (
        p for marker, p in _segments(encoded) if marker & 0xF0 == 0xC0 and marker not in (0xC4, 0xC8, 0xCC)
    )
    sides = (struct.unpack_from(">HH", encoded, place + 5) for place in frames)
    return max((int(height) * int(width) for height, width in sides), default=0)


def _png_is_whole(encoded: bytes) -> bool:
    """Whether its chunks, walked by their lengths, end with IEND (ISO/IEC 15948, section 5.3)."""
    place = 8
    while place + 12 <= len(encoded):
        length = int.from_bytes(encoded[place : place + 4], "big")
        kind, place = encoded[place + 4 : place + 8], place + 12 + length
        if kind == b"IEND":
            return place <= len(encoded)
    return False


def _png_pixels(encoded: bytes) -> int:
    width, height = struct.unpack_from(">II", encoded, 16)
    return int(width) * int(height)


def _bmp_pixels(encoded: bytes) -> int:
    (header,) = struct.unpack_from("<I", encoded, 14)
    # The header of OS/2, which is 12 bytes long, has sides of 16 bits.
    width, height = struct.unpack_from("<HH" if header == 12 else "<ii", encoded, 18)
    return abs(int(width) * int(height))  # a negative height: rows from the top


def _riff_is_whole(encoded: bytes) -> bool:
    (length,) = struct.unpack_from("<I", encoded, 4)
    return len(encoded) >= 8 + int(length)


def _tiff_pixels(encoded: bytes) -> int:
    """Pixels of the first page, by its tags ImageWidth and ImageLength (TIFF 6.0, sections 2 and 8)."""
    order = "<" if encoded.startswith(b"II") else ">"
    (place,) = struct.unpack_from(f"{order}I", encoded, 4)
    (count,) = struct.unpack_from(f"{order}H", encoded, place)
    sides = {}
    for entry in range(place + 2, place + 2 + 12 * int(count), 12):
        tag, kind = struct.unpack_from(f"{order}HH", encoded, entry)
        if tag in (256, 257):
            (sides[tag],) = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", encoded, entry + 8)
    return int(sides.get(256, 0)) * int(sides.get(257, 0))


def _decoder_tells(_: bytes) -> bool:
    return True


def _few(_: bytes) -> int:
    return 0


_NETPBM = re.compile(rb"P[1-6][\s#]")

_FORMATS = (
    _Format(re.compile(rb"\xff\xd8"), _jpeg_is_whole, _jpeg_pixels),
    _Format(re.compile(rb"\x89PNG\r\n\x1a\n"), _png_is_whole, _png_pixels),
    _Format(re.compile(rb"BM"), _decoder_tells, _bmp_pixels),
    _Format(re.compile(rb"RIFF.{4}WEBP", re.DOTALL), _riff_is_whole, _few),
    _Format(re.compile(rb"II\*\0|MM\0\*"), _decoder_tells, _tiff_pixels),
    _Format(_NETPBM, _decoder_tells, _few),
)

# What else is met under a picture's name.
_OTHERS = (
    (re.compile(rb"GIF8"), "a GIF"),
    (re.compile(rb".{4}ftyp", re.DOTALL), "HEIC, AVIF or a film"),
    (re.compile(rb"\s*<(?:!doctype|html)", re.IGNORECASE), "a web page"),
)
