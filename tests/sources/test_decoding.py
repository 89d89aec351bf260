from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from facenet_lit.errors import UserError
from facenet_lit.preprocessing import fingerprint
from facenet_lit.sources.decoding import decode_all
from facenet_lit.sources.source import Read, UnreadableImage
from facenet_lit.sources.synthetic import SyntheticFaces


class Backwards(SyntheticFaces):
    """Hands its pictures out in another order, every third unreadable."""

    def pictures(self) -> Iterator[tuple[int, Read]]:
        for number, read in reversed(list(super().pictures())):
            yield number, (read if number % 3 else self._fail)

    def _fail(self) -> np.ndarray:
        raise UnreadableImage("some picture", "a reason")


def test_rows_are_by_number_and_unreadable_ones_are_left_alone():
    source = Backwards(5, 2, 16)
    images = np.full((10, 16, 16, 3), 9, np.uint8)
    fingerprints, faults = decode_all(source, images, None, progress=False)
    assert faults == dict.fromkeys([0, 3, 6, 9], "a reason")
    for number, read in SyntheticFaces(5, 2, 16).pictures():
        expected = read() if number % 3 else np.full((16, 16, 3), 9)
        np.testing.assert_array_equal(images[number], expected)
        if number % 3:
            assert fingerprints[number].tobytes() == fingerprint(read())


def test_few_pictures_wait_at_a_time():
    """A source that is read far faster than it decodes is held back."""
    lock, counts = threading.Lock(), {"handed": 0, "decoded": 0, "most": 0}

    class Counted(SyntheticFaces):
        def pictures(self) -> Iterator[tuple[int, Read]]:
            for number, read in super().pictures():
                with lock:
                    counts["handed"] += 1
                    counts["most"] = max(counts["most"], counts["handed"] - counts["decoded"])
                yield number, lambda read=read: self._count(read)

        def _count(self, read: Read) -> np.ndarray:
            picture = read()
            with lock:
                counts["decoded"] += 1
            return picture

    images = np.empty((1200, 16, 16, 3), np.uint8)
    decode_all(Counted(120, 10, 16), images, None, progress=False)
    assert counts["decoded"] == 1200
    assert counts["most"] <= 9 * (os.cpu_count() or 1)


def test_other_errors_are_not_swallowed():
    class Broken(SyntheticFaces):
        def pictures(self) -> Iterator[tuple[int, Read]]:
            def broken() -> np.ndarray:
                raise RuntimeError("a defect")

            yield 0, broken

    with pytest.raises(RuntimeError, match="a defect"):
        decode_all(Broken(1, 1, 16), np.empty((1, 16, 16, 3), np.uint8), None, progress=False)


def test_too_few_pictures():
    with pytest.raises(UserError, match="2 pictures where 3 were listed"):
        decode_all(SyntheticFaces(2, 1, 16), np.empty((3, 16, 16, 3), np.uint8), None, progress=False)
