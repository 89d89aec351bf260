from __future__ import annotations

import logging
import os
import shutil
import signal
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
from gloo_processes import started

from facenet_lit.errors import UserError
from facenet_lit.sources import packing
from facenet_lit.sources.decoding import Cut
from facenet_lit.sources.file_lock import locked
from facenet_lit.sources.pack_files import Pack, read_pack
from facenet_lit.sources.packed import pack
from facenet_lit.sources.packing import Task, pack_into
from facenet_lit.sources.source import Read, UnreadableImage
from facenet_lit.sources.synthetic import SyntheticFaces


class Counted(SyntheticFaces):
    """Counts what is decoded; stops after so many pictures are handed out; some don't decode."""

    def __init__(self, bad: tuple[int, ...] = (), stop: int | None = None) -> None:
        super().__init__(20, 3, 32)
        self.bad, self.stop = bad, stop
        self.reads: list[int] = []

    def pictures(self) -> Iterator[tuple[int, Read]]:
        for number, read in super().pictures():
            if number == self.stop:
                raise KeyboardInterrupt
            yield number, lambda number=number, read=read: self._read(number, read)

    def _read(self, number: int, read: Read) -> np.ndarray:
        self.reads.append(number)
        if number in self.bad:
            raise UnreadableImage("some picture", "a reason")
        return read()


def task(source: SyntheticFaces, quality: int | None = None) -> Task:
    return Task(source, Cut(24, 16, quality), "some key", {"size": 16})


def packed(folder: Path, source: SyntheticFaces, quality: int | None = None) -> Pack:
    return pack_into(folder / "pack", task(source, quality), progress=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "pack").iterdir()}


FORMS = pytest.mark.parametrize("quality", [None, 90])


@FORMS
def test_a_pack_is_put_into_its_place_and_nothing_else(tmp_path, quality):
    source = Counted()
    result = packed(tmp_path, source, quality)
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]
    assert sorted(source.reads) == list(range(60))
    assert result.damaged().tolist() == []
    again = Counted()
    assert packed(tmp_path, again, quality).key == "some key"
    assert again.reads == []
    in_memory = pack(Counted(), 24, 16, None, progress=False)
    np.testing.assert_array_equal(result.fingerprints, in_memory.fingerprints)
    difference = np.abs(result.images[np.arange(60)].astype(int) - in_memory.images)
    assert difference.max() == 0 if quality is None else difference.mean() < 6


@FORMS
def test_what_was_packed_before_an_interruption_is_kept(tmp_path, quality, caplog):
    caplog.set_level(logging.INFO)
    with pytest.raises(KeyboardInterrupt):
        packed(tmp_path, Counted(stop=40), quality)
    assert [path.name for path in tmp_path.iterdir()] == ["pack.partial"]
    written = int(np.load(tmp_path / "pack.partial" / "pack" / "checksums.npy").any(axis=1).sum())
    assert 0 < written <= 40
    source = Counted()
    packed(tmp_path, source, quality)
    assert sorted(source.reads) == list(range(written, 60))
    assert caplog.messages == [f"{written} of 60 images were packed before; going on"]
    (tmp_path / "unbroken").mkdir()
    packed(tmp_path / "unbroken", Counted(), quality)
    assert contents(tmp_path) == contents(tmp_path / "unbroken")


@FORMS
def test_half_written_images_are_decoded_again(tmp_path, quality):
    """What a power failure may leave: checksums on the disk, and not yet what they are of."""
    with pytest.raises(KeyboardInterrupt):
        packed(tmp_path, Counted(stop=50), quality)
    partial = tmp_path / "pack.partial" / "pack"
    path = partial / ("images.npy" if quality is None else "images.jpegs")
    size, written = path.stat().st_size, int(np.load(partial / "checksums.npy").any(axis=1).sum())
    os.truncate(path, size // 3)
    os.truncate(path, size)
    source = Counted()
    result = packed(tmp_path, source, quality)
    assert len(source.reads) > 60 - written
    assert result.damaged().tolist() == []
    np.testing.assert_array_equal(
        result.images[np.arange(60)], packed(tmp_path / "unbroken", Counted(), quality).images[np.arange(60)]
    )


def test_what_is_left_of_other_settings_is_not_gone_on_with(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        packed(tmp_path, Counted(stop=50))
    source = Counted()
    result = pack_into(tmp_path / "pack", Task(source, Cut(24, 20), "some key", {}), progress=False)
    assert len(source.reads) == 60
    assert result.images.shape == (60, 20, 20, 3)


@FORMS
@pytest.mark.parametrize("stop", [None, 45])
def test_pictures_that_do_not_decode_are_left_out(tmp_path, quality, stop, monkeypatch):
    monkeypatch.setattr(packing, "_CHUNK", 4)
    bad = (0, 1, 2, 30, 59)  # all of the first identity
    if stop is not None:
        with pytest.raises(KeyboardInterrupt):
            packed(tmp_path, Counted(bad, stop), quality)
    result = packed(tmp_path, Counted(bad), quality)
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]
    whole = packed(tmp_path / "whole", Counted(), quality)
    kept = np.delete(np.arange(60), bad)
    np.testing.assert_array_equal(result.images[np.arange(55)], whole.images[kept])
    np.testing.assert_array_equal(result.fingerprints, whole.fingerprints[kept])
    np.testing.assert_array_equal(result.identities, whole.identities[kept] - 1)
    assert result.names == tuple(whole.names[1:])
    assert result.left_out == {whole.files[number]: "a reason" for number in bad}
    assert result.damaged().tolist() == []


class Halting(SyntheticFaces):
    """Says when so many pictures are handed out, and then waits to be killed."""

    def __init__(self, end: Connection) -> None:
        super().__init__(20, 3, 32)
        self.end = end

    def pictures(self) -> Iterator[tuple[int, Read]]:
        for number, item in enumerate(super().pictures()):
            if number == 40:
                self.end.send("so far")
                time.sleep(60)
            yield item


def pack_slowly(end: Connection, folder: Path, quality: int | None) -> None:
    pack(Halting(end), 24, 16, folder, progress=False, quality=quality)


@FORMS
def test_a_killed_process_is_gone_on_with(tmp_path, quality):
    process, end = started(pack_slowly, tmp_path, quality)
    assert end.recv() == "so far"
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    (partial,) = tmp_path.iterdir()
    written = int(np.load(partial / "pack" / "checksums.npy").any(axis=1).sum())
    assert 0 < written < 60
    source = Counted()
    result = pack(source, 24, 16, tmp_path, progress=False, quality=quality)
    assert sorted(source.reads) == list(range(written, 60))
    assert list(tmp_path.iterdir()) == [result.folder]
    np.testing.assert_array_equal(
        result.images[np.arange(60)], packed(tmp_path / "unbroken", Counted(), quality).images[np.arange(60)]
    )


def pack_at_a_word(end: Connection, folder: Path) -> None:
    source = Counted()
    end.send("ready")
    end.recv()
    made = pack(source, 24, 16, folder, progress=False)
    end.send((len(source.reads), str(made.folder), int(made.images.sum())))


def test_of_two_processes_one_packs_and_both_have_the_whole(tmp_path):
    both = [started(pack_at_a_word, tmp_path) for _ in "ab"]
    assert [end.recv() for _, end in both] == ["ready"] * 2
    for _, end in both:
        end.send("go")
    assert all(end.poll(60) for _, end in both)
    told = [end.recv() for _, end in both]
    for process, _ in both:
        process.join()
    assert sum(reads for reads, _, _ in told) == 60
    assert told[0][1:] == told[1][1:]
    (folder,) = tmp_path.iterdir()
    assert read_pack(folder).damaged().tolist() == []


def test_nothing_is_left_of_what_never_began(tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        packed(tmp_path, Counted(stop=0))
    with pytest.raises(UserError, match="none of 60 pictures decodes"):
        packed(tmp_path, Counted(bad=tuple(range(60))))
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(UserError, match=f"^{tmp_path}: 0 MiB needed for packed pictures, 0 MiB free"):
        packed(tmp_path, Counted())
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_keeps_what_is_there(tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        packed(tmp_path, Counted(stop=50))
    usage = shutil.disk_usage(tmp_path)._replace(free=100)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage)
        with pytest.raises(UserError, match="MiB needed"):
            packed(tmp_path, Counted())
    source = Counted()
    packed(tmp_path, source)
    assert 0 < len(source.reads) < 60


def test_what_was_left_beside_a_whole_pack_goes_when_that_opens(tmp_path):
    made = pack(Counted(), 24, 16, tmp_path, progress=False).folder
    partial = made.with_name(f"{made.name}.partial")
    (partial / "damaged").mkdir(parents=True)
    (partial / "damaged" / "images.npy").touch()
    (partial / "lock").touch()
    with locked(partial / "lock", "waiting"):  # another process is at it
        pack(Counted(), 24, 16, tmp_path, progress=False)
        assert (partial / "damaged" / "images.npy").exists()
    pack(Counted(), 24, 16, tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == [made]


def test_the_lock_goes_last(tmp_path, monkeypatch):
    """With the lock gone first another process would fill what is still being removed."""
    seen, remove = [], shutil.rmtree

    def watched(path: Path, ignore_errors: bool) -> None:
        seen.append((path.name, (tmp_path / "pack.partial" / "lock").exists()))
        remove(path, ignore_errors)

    monkeypatch.setattr(shutil, "rmtree", watched)
    with pytest.raises(UserError, match="none of 60 pictures decodes"):
        packed(tmp_path, Counted(bad=tuple(range(60))))
    assert seen == [("pack", True)]
    assert list(tmp_path.iterdir()) == []


def test_known_fingerprints_and_what_was_left_out_before(tmp_path):
    known = np.arange(60 * 32, dtype=np.uint64).reshape(60, 32).astype(np.uint8)
    wanted = task(Counted(bad=(5,)))._replace(known=known, left_out={"older": "cut short"})
    result = pack_into(tmp_path / "pack", wanted, progress=False)
    np.testing.assert_array_equal(result.fingerprints, np.delete(known, 5, axis=0))
    assert list(result.left_out.values()) == ["cut short", "a reason"]
