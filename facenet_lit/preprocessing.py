"""Pixels before they reach a network: decode, crop, resize, and the fingerprints a leak is found by."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from facenet_lit.netpbm import Values, read_netpbm
from facenet_lit.picture_bytes import find_fault, is_netpbm

Picture = npt.NDArray[np.uint8]

_WHITE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}  # by the kind of numbers of a decoded picture


def decode(encoded: bytes) -> Picture | None:
    """Decodes a JPEG, PNG, BMP, WebP, TIFF, PBM, PGM or PPM, turned upright by its EXIF tag.

    Grey becomes three equal channels, CMYK is converted without its colour profile. 16 bits and other ranges
    are scaled to 8 bits and rounded. Transparency is dropped: the colours below it stay as they are stored (a
    TIFF's are darkened by it). Of an animation or a TIFF of several pages the first picture is taken.

    Returns:
        (H, W, 3) uint8 RGB, or None where the bytes are not a whole picture: ``why_undecodable`` tells why.
    """
    if find_fault(encoded) is not None:
        return None
    try:
        values, white = read_netpbm(encoded) if is_netpbm(encoded) else _decode_by_opencv(encoded)
    except (cv2.error, ValueError):
        return None
    picture = to_eight_bits(values, white)
    return cast(Picture, cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)) if picture.ndim == 2 else picture


def why_undecodable(encoded: bytes) -> str:
    """Why ``decode`` returned None, in a few words."""
    return find_fault(encoded) or _other_numbers(encoded) or "damaged or cut short"


def _other_numbers(encoded: bytes) -> str | None:
    """That the pixels of a whole picture are no numbers that are read here, as a TIFF's may be."""
    try:
        pixels = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    return (
        None if pixels is None or pixels.dtype in _WHITE else f"pixels of {pixels.dtype}, not of 8 or 16 bits"
    )


def _decode_by_opencv(encoded: bytes) -> tuple[Values, int]:
    """(H, W, 3) RGB of 8 or 16 bits, and the value that is white."""
    # With any depth OpenCV keeps 16 bits, which it would else cut to the upper 8.
    bgr = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if bgr is None or bgr.dtype not in _WHITE:
        raise ValueError("not decoded, or no whole numbers")
    return cast(Values, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)), _WHITE[bgr.dtype]


def to_eight_bits(values: Values, white: int) -> Picture:
    """Scales values from 0..white to 0..255, rounded; those of 8 bits stay as they are.

    Args:
        values: unsigned integers of any shape, none above ``white``.
        white: 1 to 65535.
    """
    if white == 255:
        return values.astype(np.uint8, copy=False)
    return ((values.astype(np.uint32) * 255 + white // 2) // white).astype(np.uint8)


def crop_and_resize(picture: Picture, crop: int | None, size: int) -> Picture:
    """Cuts a centred square out of a picture and resizes it.

    Shrinking averages areas, growing interpolates linearly.

    Args:
        picture: (H, W, 3) uint8.
        crop: side of the square in pixels of the picture; None for the largest that fits. A square that
            doesn't fit becomes the largest that does: nothing is padded.
        size: side of the result in pixels.

    Returns:
        (size, size, 3) uint8.
    """
    height, width = picture.shape[:2]
    side = min(height, width) if crop is None else min(crop, height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[top : top + side, left : left + side]
    if side == size:
        return np.ascontiguousarray(square)
    method = cv2.INTER_AREA if size < side else cv2.INTER_LINEAR
    return cast(Picture, cv2.resize(square, (size, size), interpolation=method))


def fingerprint(picture: Picture) -> bytes:
    """SHA-256 of a decoded picture at source size, (H, W, 3) uint8 RGB, with its shape: 32 bytes."""
    shape = np.asarray(picture.shape, dtype="<u4").tobytes()
    return hashlib.sha256(shape + np.ascontiguousarray(picture).tobytes()).digest()


def composed(name: str) -> str:
    """A name in Unicode's form NFC.

    An e with two dots is one character or two, and looks the same: macOS has often written the one, other
    systems write the other. So a name is compared in one form.
    """
    return unicodedata.normalize("NFC", name)


def identity_fingerprint(name: str) -> bytes:
    """SHA-256 of an identity's name, in the form NFC and in UTF-8: 32 bytes."""
    # A folder's name need not be UTF-8; Python carries its odd bytes as surrogates.
    return hashlib.sha256(composed(name).encode("utf-8", "surrogateescape")).digest()
