"""Checksums of packed images, one each: what a killed process left, and what a disk or a copy did to a pack."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from facenet_lit.batch import IntArray
from facenet_lit.preprocessing import Picture

SIZE = 16  # bytes of a checksum; an image that is not there yet has zeros

_CHUNK = 256  # images that a thread looks through at a time

Digests = npt.NDArray[np.uint8]


def as_bytes(record: bytes | Picture) -> bytes | memoryview:
    """An image as it is stored, as plain bytes; an array is not copied."""
    return record if isinstance(record, bytes) else record.data


def checksum(record: bytes | Picture, fingerprint: bytes) -> bytes:
    """BLAKE2b (RFC 7693) of an image as it is stored and of its fingerprint: 16 bytes.

    Args:
        record: pixels in the order of C, or the bytes of a JPEG.
        fingerprint: 32 bytes.
    """
    digest = hashlib.blake2b(as_bytes(record), digest_size=SIZE)
    digest.update(fingerprint)
    return digest.digest()


def differing(
    record: Callable[[int], Picture], fingerprints: Digests, checksums: Digests, numbers: IntArray
) -> IntArray:
    """Those of some images that are not what they were when they were written.

    Args:
        record: an image as it is stored, by number; called from several threads.
        fingerprints: (N, 32) of the images.
        checksums: (N, 16) of the images.
        numbers: which images are looked at.
    """

    def look(some: IntArray) -> list[int]:
        return [
            number
            for number in some.tolist()
            if checksum(record(number), fingerprints[number].tobytes()) != checksums[number].tobytes()
        ]

    chunks = [numbers[start : start + _CHUNK] for start in range(0, len(numbers), _CHUNK)]
    # hashlib lets go of the interpreter's lock, so that threads look side by side.
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return np.array([number for found in pool.map(look, chunks) for number in found], np.int64)
