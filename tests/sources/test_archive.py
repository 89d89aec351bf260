from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from facenet_lit.errors import UserError
from facenet_lit.sources import archive as reading
from facenet_lit.sources.archive import read_members


def make(path: Path, members: list[tuple[str, bytes]], mode: str) -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


# Contents that don't compress, and one that fills its blocks exactly.
MEMBERS = [(f"a/{i}.bin", bytes((i * 37 + j * j * 7) % 256 for j in range(512 * (i + 1)))) for i in range(6)]


@pytest.fixture(params=["w", "w:gz"])
def archive(request, tmp_path) -> Path:
    return make(tmp_path / "some.archive", MEMBERS, request.param)


def test_members_in_order(archive):
    assert [
        (str(path), content) for _, path, content in read_members(archive, frozenset(range(6)))
    ] == MEMBERS


def test_only_paths(archive):
    assert [(place, str(path), content) for place, path, content in read_members(archive, None)] == [
        (place, name, b"") for place, (name, _) in enumerate(MEMBERS)
    ]


def test_only_some_members(archive):
    found = list(read_members(archive, frozenset({1, 4})))
    assert [(member.place, member.content) for member in found] == [(1, MEMBERS[1][1]), (4, MEMBERS[4][1])]


def test_any_cut_is_found(archive):
    whole = archive.read_bytes()
    content = len(whole) if whole[:2] == b"\x1f\x8b" else sum(512 + len(data) for _, data in MEMBERS)
    for length in {
        0,
        1,
        5,
        100,
        511,
        512,
        513,
        1024,
        1536,
        content // 2,
        content - 1,
        content - 512,
        content,
    }:
        if length >= len(whole):
            continue
        archive.write_bytes(whole[:length])
        with pytest.raises(UserError, match="damaged or cut short: fetch it again") as caught:
            list(read_members(archive, None))
        assert "\n" not in str(caught.value)


def test_a_flipped_bit_of_a_compressed_archive_is_found(tmp_path):
    archive = make(tmp_path / "a.tgz", MEMBERS, "w:gz")
    changed = bytearray(archive.read_bytes())
    changed[-8] ^= 1  # its checksum
    archive.write_bytes(bytes(changed))
    with pytest.raises(UserError, match="damaged or cut short"):
        list(read_members(archive, None))


def test_odd_paths_and_kinds_are_passed_over(tmp_path):
    archive = tmp_path / "odd.tar"
    with tarfile.open(archive, "w") as odd:
        for name in ("/absolute.jpg", "../above.jpg", "a/../../above.jpg", "./a/good.jpg"):
            info = tarfile.TarInfo(name)
            info.size = 3
            odd.addfile(info, io.BytesIO(b"abc"))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo("a/odd.jpg")
            info.type, info.linkname = kind, "a/good.jpg"
            odd.addfile(info)
    assert [str(member.path) for member in read_members(archive, None)] == ["a/good.jpg"]


def test_nothing_is_written_whatever_an_archive_holds(tmp_path, monkeypatch):
    evil, inside = tmp_path / "evil.tgz", tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    with tarfile.open(evil, "w:gz") as archive:
        for name in (str(tmp_path / "absolute.jpg"), "../above.jpg", "link/through.jpg", "a/../../above.jpg"):
            info = tarfile.TarInfo(name)
            info.size = 3
            archive.addfile(info, io.BytesIO(b"abc"))
            info = tarfile.TarInfo("link")
            info.type, info.linkname = tarfile.SYMTYPE, str(tmp_path)
            archive.addfile(info)
        for number in range(3000):  # a flood of devices and pipes
            info = tarfile.TarInfo(f"dev/{number}")
            info.type, info.devmajor = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)[number % 3], 1
            archive.addfile(info)
    before = sorted(tmp_path.rglob("*"))
    assert [str(member.path) for member in read_members(evil, None)] == ["link/through.jpg"]
    assert [member.content for member in read_members(evil, frozenset(range(4000)))] == [b"abc"]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_member_too_large_for_a_picture_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "LARGEST", 1000)
    archive = make(tmp_path / "a.tgz", [("a/bomb.jpg", bytes(1001)), ("a/good.jpg", bytes(1000))], "w:gz")
    assert [len(member.content) for member in read_members(archive, frozenset({0, 1}))] == [0, 1000]


def test_a_reader_that_stops_early_leaves_no_error(archive):
    members = read_members(archive, None)
    next(members)
    members.close()
