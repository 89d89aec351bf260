"""Images as JPEG records: one after another in a file, decoded when they are asked for."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError
from facenet_lit.preprocessing import Picture
from facenet_lit.sources.checksums import as_bytes
from facenet_lit.sources.row_file import RowFile

RECORDS, SPANS = "images.jpegs", "spans.npy"


def encode_jpeg(image: Picture, quality: int) -> bytes:
    """A JPEG (ITU-T T.81, baseline, its colours at half the resolution) of an image.

    Args:
        image: (H, W, 3) uint8 RGB.
        quality: 1 to 100, libjpeg's.
    """
    # Codes made for each image rather than the standard's: a tenth smaller, the same pixels.
    how = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), how)[1].tobytes()


def decode_jpeg(record: Picture) -> Picture | None:
    """(H, W, 3) uint8 RGB of a record's bytes, None where they are no JPEG."""
    bgr = cv2.imdecode(record, cv2.IMREAD_COLOR) if len(record) else None
    return None if bgr is None else cast(Picture, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


class JpegRecords:
    """Images of a pack by number, decoded at each use: what indexes as an array of them.

    Args:
        folder: the pack's.
        spans: (N, 2) for each image the place of its first byte, and the one behind its last.
        size: side of the images in pixels.
    """

    def __init__(self, folder: Path, spans: IntArray, size: int) -> None:
        self._path = folder / RECORDS
        self._spans = spans
        self.shape = (len(spans), size, size, 3)

    def __len__(self) -> int:
        return len(self._spans)

    def __getitem__(self, numbers: IntArray) -> Picture:
        """Decodes images.

        Args:
            numbers: (B,) of the images.

        Returns:
            (B, S, S, 3) uint8 RGB.

        Raises:
            UserError: one is damaged.
        """
        images = np.empty((len(numbers), *self.shape[1:]), np.uint8)
        for row, number in enumerate(numbers.tolist()):
            image = decode_jpeg(self.record(number))
            if image is None or image.shape != self.shape[1:]:
                raise UserError(f"{self._path}: image {number} is damaged; copy or prepare that pack again")
            images[row] = image
        return images

    def record(self, number: int) -> Picture:
        """The bytes of a JPEG, (L,) uint8."""
        first, last = self._spans[number]
        return self._bytes[first:last]

    @cached_property
    def _bytes(self) -> Picture:
        if not self._path.stat().st_size:  # which can't be mapped
            return np.zeros(0, np.uint8)
        return np.memmap(self._path, np.uint8, mode="r")

    def __getstate__(self) -> dict[str, Any]:
        # A worker process that is not forked opens the file itself: pickled, a memory map is all that it maps.
        return {key: value for key, value in vars(self).items() if key != "_bytes"}


class JpegWriter:
    """Records that are written one after another, those of an earlier process kept.

    Args:
        folder: where.
        count: number of images.
        size: side of the images in pixels.
    """

    def __init__(self, folder: Path, count: int, size: int) -> None:
        self._spans = RowFile(folder / SPANS, (count, 2), np.int64)
        self._file = open(folder / RECORDS, "ab")  # noqa: SIM115 - closed by close
        self.record = JpegRecords(folder, cast(IntArray, self._spans.rows), size).record

    def keep(self, numbers: IntArray) -> None:
        """Cuts off what is behind the records of these images."""
        spans = cast(IntArray, self._spans.rows)
        self._file.truncate(int(spans[numbers, 1].max(initial=0)))
        self._file.seek(0, os.SEEK_END)

    def put(self, number: int, record: bytes | Picture) -> None:
        """Writes the record of an image behind the others.

        Raises:
            OSError: there is no room.
        """
        first = self._file.tell()
        self._file.write(as_bytes(record))
        self._file.flush()  # before the span: a kill between them leaves bytes that nothing points to
        self._spans.put(number, np.array([first, self._file.tell()]).tobytes())

    def close(self) -> None:
        """Lets go of the files."""
        self._file.close()
        self._spans.close()
