from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
import yaml
from sklearn.datasets import _lfw as scikit_learn
from tiny_lfw import TEST, TRAIN, write_archive, write_lfw
from web_server import Server, ranged, status

from facenet_lit.config_dir import config_dir
from facenet_lit.data.assignment import assign
from facenet_lit.errors import UserError
from facenet_lit.sources.download import Patience
from facenet_lit.sources.lfw import LFWSource
from facenet_lit.sources.lfw_mirrors import DOWNLOADS, Mirrors


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """What the server has: an archive and the lists."""
    write_archive(write_lfw(tmp_path / "there", decodable=False), tmp_path / "there" / "lfw-funneled.tgz")
    return tmp_path / "there"


def entries(server: Server, there: Path, *files: str) -> list[dict[str, str]]:
    """Two mirrors of each file, the first of which refuses."""
    found = []
    for file in files:
        content = (there / file).read_bytes()
        digits = hashlib.sha256(content).hexdigest()
        for url in (server.url(f"/no/{file}", status(403)), server.url(f"/{file}", ranged(content))):
            found.append({"file": file, "url": url, "sha256": digits})
    return found


def patient(entries: list[dict[str, str]]) -> Mirrors:
    return Mirrors(entries, Patience(2, 60.0, 0.0))


def test_the_addresses_are_those_of_scikit_learn() -> None:
    text = (config_dir() / "data" / "lfw.yaml").read_text()
    files = (scikit_learn.FUNNELED_ARCHIVE, scikit_learn.ARCHIVE, *scikit_learn.TARGETS)
    assert yaml.safe_load(text)["source"]["mirrors"] == [
        {"file": file.filename, "url": file.url, "sha256": file.checksum} for file in files
    ]


def test_archive_and_lists_are_fetched_when_they_are_needed(
    server: Server, there: Path, tmp_path: Path
) -> None:
    files = ("lfw-funneled.tgz", "pairsDevTest.txt")
    source = LFWSource(None, None, True, patient(entries(server, there, *files)))
    assert server.requests == []
    assert source.root == DOWNLOADS / "lfw-funneled.tgz"
    assert len(source.pairs("pairsDevTest")) == 18
    assert server.requests == ["/no/pairsDevTest.txt", "/pairsDevTest.txt"]
    assert len(source.files) == 60
    assert sorted(path.name for path in DOWNLOADS.iterdir()) == sorted(files)
    for file in files:
        assert (DOWNLOADS / file).read_bytes() == (there / file).read_bytes()
    again = LFWSource(None, None, True, patient(entries(server, there, *files)))
    assert list(again.files) == list(source.files)
    again.pairs("pairsDevTest")
    assert len(server.requests) == 4


def test_ones_own_comes_first(server: Server, there: Path) -> None:
    mirrors = patient(entries(server, there, "lfw-funneled.tgz", "pairs.txt"))
    for root in (there / "lfw", there / "lfw-funneled.tgz"):
        source = LFWSource(root, None, True, mirrors)
        assert len(source.files) == 60
        assert len(source.pair_folds("pairs")) == 10
    assert server.requests == []


def test_a_list_goes_beside_the_archive_or_into_the_folder_of_lists(
    server: Server, there: Path, tmp_path: Path
) -> None:
    mirrors = patient(entries(server, there, "pairs.txt"))
    (there / "pairs.txt").unlink()
    (tmp_path / "lists").mkdir()
    source = LFWSource(there / "lfw", tmp_path / "lists", True, mirrors)
    assert source.list_path("pairs") == tmp_path / "lists" / "pairs.txt"
    assert LFWSource(there / "lfw", None, True, mirrors).list_path("pairs") == there / "pairs.txt"
    assert (tmp_path / "lists" / "pairs.txt").read_bytes() == (there / "pairs.txt").read_bytes()


def test_view_1_with_ones_own_lists_of_people(server: Server, there: Path) -> None:
    source = LFWSource(
        None, None, True, patient(entries(server, there, "lfw-funneled.tgz", "pairsDevTest.txt"))
    )
    with pytest.raises(UserError) as caught:
        assign(source, source, "view1", 0)
    assert re.search(
        r"^data\.lists: peopleDevTrain\.txt not found in .*runs/downloads.*, of which no address is known; put it "
        r"there, or name its folder by data\.lists=DIR, or split without lists \(data\.split=random\)$",
        str(caught.value),
    )
    assert server.requests == []  # before anything large is fetched
    DOWNLOADS.mkdir(parents=True)
    for name in ("peopleDevTrain.txt", "peopleDevTest.txt"):
        (DOWNLOADS / name).write_bytes((there / name).read_bytes())
    parts = assign(source, source, "view1", 0).parts
    assert sum(map(len, parts.values())) == 2 * len(TRAIN + TEST)


def test_without_being_asked_nothing_is_fetched(server: Server, there: Path) -> None:
    mirrors = patient(entries(server, there, "lfw-funneled.tgz", "pairs.txt"))
    with pytest.raises(UserError, match=r"or say data\.download=true$"):
        LFWSource(None, None, False, mirrors)
    (there / "pairs.txt").unlink()
    with pytest.raises(UserError, match=r"pairs\.txt not found in .*, or say data\.download=true$"):
        LFWSource(there / "lfw", None, False, mirrors).list_path("pairs")
    (there / "people.txt").unlink()
    with pytest.raises(UserError, match=r"people\.txt not found in .*by data\.lists=DIR$"):
        LFWSource(there / "lfw", None, False, mirrors).list_path("people")
    assert server.requests == []


@pytest.mark.parametrize(
    ("root", "message"),
    [
        (
            "some/lfw-deepfunneled.tgz",
            r"^data\.root=some/lfw-deepfunneled\.tgz: not found, and no address of lfw-deepfunneled\.tgz is known; "
            r"expected a name of those known \(lfw-funneled\.tgz\), or bring your own",
        ),
        ("pairs.txt", r"no address of pairs\.txt is known"),
    ],
)
def test_what_no_address_is_known_of(server: Server, there: Path, root: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        LFWSource(root, None, True, patient(entries(server, there, "pairs.txt", "lfw-funneled.tgz")))
    assert Mirrors(entries(server, there, "lfw-funneled.tgz")).archive("x/lfw-funneled.tgz").parts[0] == "x"


def test_no_mirror_gives_the_archive(server: Server, there: Path) -> None:
    refusing = entries(server, there, "lfw-funneled.tgz")[:1]
    with pytest.raises(
        UserError, match=r"lfw-funneled\.tgz can't be had: .*answered 403 .*; bring your own \(data\."
    ):
        _ = LFWSource(None, None, True, patient(refusing)).files


@pytest.mark.parametrize("entries", [3, "https://example.org", [3], [{"file": "a.tgz"}]])
def test_what_are_no_mirrors(entries: object) -> None:
    with pytest.raises(UserError, match=r"^data\.source\.mirrors="):
        Mirrors(entries)


def test_no_archive_among_the_mirrors() -> None:
    with pytest.raises(
        UserError, match=r"^data\.download: data\.source\.mirrors has no archive; bring your own"
    ):
        LFWSource(None, None, True, [])
    with pytest.raises(UserError, match=r"^data\.download='yes': expected true or false"):
        LFWSource(None, None, "yes", [])
