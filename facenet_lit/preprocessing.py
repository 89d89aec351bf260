"""Pixels before they reach a network: decode, crop, resize, and the fingerprints a leak is found by."""

from __future__ import annotations

import hashlib
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]


def decode(encoded: bytes) -> Picture | None:
    """Decodes a JPEG or PNG (grey or colour, transparency dropped, turned upright by its EXIF tag).

    Returns:
        (H, W, 3) uint8 RGB, or None where the bytes are not a whole picture.
    """
    # OpenCV fills up a JPEG that was cut short with grey and says nothing to its caller.
    if not encoded or (encoded.startswith(b"\xff\xd8") and not _jpeg_is_whole(encoded)):
        return None
    try:
        picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # more pixels than OpenCV is willing to decode
        return None
    return None if picture is None else cast(Picture, cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


def _jpeg_is_whole(encoded: bytes) -> bool:
    """Whether an end marker follows the start of the first scan (ISO/IEC 10918-1, annex B).

    The segments before it are walked by their lengths, because a thumbnail inside one has markers too.
    """
    place = 2
    while place + 4 <= len(encoded) and encoded[place] == 0xFF:
        marker = encoded[place + 1]
        if marker == 0xDA:
            return encoded.find(b"\xff\xd9", place) >= 0
        # 0xFF before a marker is padding; every other segment states its length, itself included.
        place += 1 if marker == 0xFF else 2 + int.from_bytes(encoded[place + 2 : place + 4], "big")
    return False


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


def identity_fingerprint(name: str) -> bytes:
    """SHA-256 of an identity's name in UTF-8: 32 bytes."""
    # A folder's name need not be UTF-8; Python carries its odd bytes as surrogates.
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
