"""PBM, PGM and PPM, plain and raw (the manual pages pbm(5), pgm(5), ppm(5) of Netpbm).

OpenCV takes their values as they are, however small the maximum that the header states: a picture with
values up to 15 comes out nearly black.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.unsignedinteger[Any]]

_GAP = rb"(?:\s|#[^\r\n]*[\r\n])+"  # white space with comments
_NUMBER = _GAP + rb"(\d{1,9})"
# After the last number of the header one white space, then the pixels.
_BITS = re.compile(rb"P([14])" + _NUMBER + _NUMBER + rb"\s")
_LEVELS = re.compile(rb"P([2356])" + _NUMBER + _NUMBER + _NUMBER + rb"\s")
_COMMENT = re.compile(rb"#[^\r\n]*")


def read_netpbm(encoded: bytes) -> tuple[Values, int]:
    """The first picture of a PBM, PGM or PPM.

    Returns:
        (H, W) grey or (H, W, 3) RGB values, and the value that is white.

    Raises:
        ValueError: the header is malformed, pixels are missing, or one is above the maximum.
    """
    header = _BITS.match(encoded) or _LEVELS.match(encoded)
    if header is None:
        raise ValueError("malformed header")
    kind, width, height, *stated = map(int, header.groups())
    maximum = stated[0] if stated else 1
    shape = (height, width, 3) if kind in (3, 6) else (height, width)
    if not (width and height and 0 < maximum < 1 << 16):
        raise ValueError("sides or maximum out of range")
    raster = encoded[header.end() :]
    if kind == 4:
        values = _packed_bits(raster, height, width)
    elif kind in (5, 6):
        stored, kept = (">u2", np.uint16) if maximum > 255 else (">u1", np.uint8)
        values = np.frombuffer(raster, stored, count=int(np.prod(shape))).astype(kept)
    else:
        values = _numbers(raster, int(np.prod(shape)), digits=kind == 1)
    if values.max() > maximum:
        raise ValueError("a value above the maximum")
    # In a bitmap 1 is black.
    return (1 - values if kind in (1, 4) else values).reshape(shape), maximum


def _packed_bits(raster: bytes, height: int, width: int) -> Values:
    """Eight pixels in a byte, each row filled up to whole bytes."""
    row = (width + 7) // 8
    rows = np.frombuffer(raster, np.uint8, count=height * row).reshape(height, row)
    return np.unpackbits(rows, axis=1, count=width)


def _numbers(raster: bytes, count: int, digits: bool) -> Values:
    """Numbers in writing; those of a bitmap have one digit and need no space between."""
    text = _COMMENT.sub(b"", raster)
    fields = re.findall(rb"\d", text) if digits else text.split(None, count)[:count]
    numbers = [int(field) for field in fields[:count]]
    if len(numbers) < count or min(numbers) < 0 or max(numbers) >= 1 << 16:
        raise ValueError("numbers missing or out of range")
    return np.array(numbers, np.uint16)
