from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from facenet_lit.errors import UserError
from facenet_lit.preprocessing import crop_and_resize, fingerprint
from facenet_lit.sources.checksums import checksum
from facenet_lit.sources.decoding import Cut, Decoded, decode_all
from facenet_lit.sources.source import Read, Source, UnreadableImage
from facenet_lit.sources.synthetic import SyntheticFaces


class Backwards(SyntheticFaces):
    """Hands its pictures out in another order, every third unreadable."""

    def pictures(self) -> Iterator[tuple[int, Read]]:
        for number, read in reversed(list(super().pictures())):
            yield number, (read if number % 3 else self._fail)

    def _fail(self) -> np.ndarray:
        raise UnreadableImage("some picture", "a reason")


def decoded(source: Source, cut: Cut, done: np.ndarray | None = None, known: np.ndarray | None = None):
    found: dict[int, Decoded] = {}
    done = np.zeros(len(source.files), bool) if done is None else done
    faults = decode_all(source, cut, found.__setitem__, done, known, progress=False)
    return found, faults


def test_every_picture_with_its_fingerprint_and_checksum_in_the_order_of_the_source():
    found, faults = decoded(Backwards(5, 2, 16), Cut(12, 10))
    assert faults == dict.fromkeys([0, 3, 6, 9], "a reason")
    assert list(found) == [8, 7, 5, 4, 2, 1]
    for number, read in SyntheticFaces(5, 2, 16).pictures():
        if number % 3:
            record, mark, digest = found[number]
            np.testing.assert_array_equal(record, crop_and_resize(read(), 12, 10))
            assert mark == fingerprint(read())
            assert digest == checksum(record, mark)


def test_as_jpeg():
    plain, _ = decoded(SyntheticFaces(2, 2, 32), Cut(None, 24))
    found, _ = decoded(SyntheticFaces(2, 2, 32), Cut(None, 24, 95))
    for number, (record, mark, digest) in found.items():
        image = np.array(Image.open(io.BytesIO(record)))
        assert image.shape == (24, 24, 3)
        assert np.abs(image.astype(int) - plain[number].record).mean() < 9
        assert mark == plain[number].fingerprint
        assert digest == checksum(record, mark)


def test_what_is_done_is_not_decoded_again():
    reads: list[int] = []

    class Counted(SyntheticFaces):
        def pictures(self) -> Iterator[tuple[int, Read]]:
            for number, read in super().pictures():
                yield number, lambda number=number, read=read: (reads.append(number), read())[1]

    done = np.array([True, False, True, True, False, False])
    found, _ = decoded(Counted(3, 2, 16), Cut(None, 16), done)
    assert list(found) == sorted(reads) == [1, 4, 5]


def test_known_fingerprints_stand_for_those_of_the_pictures():
    known = np.arange(4 * 32, dtype=np.uint8).reshape(4, 32)
    found, _ = decoded(SyntheticFaces(2, 2, 16), Cut(None, 16), known=known)
    for number, (record, mark, digest) in found.items():
        assert mark == known[number].tobytes()
        assert digest == checksum(record, mark)


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

    cores = os.cpu_count() or 1
    decoded(Counted(4 * cores, 10, 16), Cut(None, 16))
    assert counts["decoded"] == 40 * cores
    assert counts["most"] <= 9 * cores


def test_other_errors_are_not_swallowed():
    class Broken(SyntheticFaces):
        def pictures(self) -> Iterator[tuple[int, Read]]:
            def broken() -> np.ndarray:
                raise RuntimeError("a defect")

            yield 0, broken

    with pytest.raises(RuntimeError, match="a defect"):
        decoded(Broken(1, 1, 16), Cut(None, 16))


def test_too_few_pictures():
    class Shrunk(SyntheticFaces):
        def pictures(self) -> Iterator[tuple[int, Read]]:
            yield from list(super().pictures())[:2]

    with pytest.raises(UserError, match="data=synthetic: 2 pictures where 3 were listed; run again"):
        decoded(Shrunk(3, 1, 16), Cut(None, 16))
