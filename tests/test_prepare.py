"""``python -m facenet_lit.prepare``, and the packs that it makes used by training and evaluation."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from entry_points import NETWORK, SETTINGS, Ended, call, refused
from tiny_lfw import write_lfw

from facenet_lit import evaluate, train
from facenet_lit.prepare import main, prepare
from facenet_lit.sources import room
from facenet_lit.sources.pack_files import read_pack
from facenet_lit.sources.source import Read
from facenet_lit.sources.synthetic import SyntheticFaces

FACES = ["data=synthetic", "data.identities=30", "data.images=3"]
TRAINED = [*SETTINGS[2:], *NETWORK]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def uncached(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose pictures are packed nowhere."""
    folder = tmp_path_factory.mktemp("uncached")
    ended = call(train.main, *FACES, *TRAINED, "data.cache=off", f"hydra.run.dir={folder}")
    assert ended.code == 0, ended.err
    assert "packing synthetic" in ended.err
    return folder


def prepared(*arguments: str) -> tuple[Ended, Path]:
    ended = call(main, *arguments)
    assert ended.code == 0, ended.err
    return ended, Path(re.search(r"^pack +(\S+) \(", ended.out, re.MULTILINE)[1])


def told(folder: Path | str) -> dict[str, float]:
    return json.loads((Path(folder) / "metrics.json").read_text())


def test_a_pack_is_told_of_and_found_by_training(uncached: Path) -> None:
    ended, folder = prepared(*FACES)
    assert folder.parent == Path("runs/cache")
    made = read_pack(folder)
    expected = np.stack([read() for _, read in SyntheticFaces(30, 3).pictures()])
    np.testing.assert_array_equal(made.images, expected)
    size = sum(path.stat().st_size for path in folder.iterdir())
    lines = dict(line.split(maxsplit=1) for line in ended.out.splitlines() if not line.startswith("to use"))
    assert lines["pack"] == f"{folder} (raw, 64 px)"
    assert (lines["images"], lines["identities"]) == ("90", "30")
    assert lines["bytes"] == f"{size:,}: {size / 90:,.0f} an image"
    assert re.fullmatch(r"\d+\.\d", lines["seconds"])
    assert "packing synthetic" in ended.err

    # Training with the same settings decodes nothing: its run is that without a cache.
    ended = call(train.main, *FACES, *TRAINED, "data.cache=auto", "hydra.run.dir=run")
    assert ended.code == 0, ended.err
    assert "packing synthetic" not in ended.err
    assert told("run") == told(uncached)
    assert list(Path("runs/cache").iterdir()) == [folder]
    again, _ = prepared(*FACES)
    assert "packing" not in again.err


def test_a_jpeg_pack_trains_and_is_evaluated_wherever_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    made, folder = prepared(*FACES, "form=jpeg", "quality=80", "data.size=72", "data.cache=packs")
    assert f"{folder} (jpeg of quality 80, 72 px)" in made.out
    shutil.move(folder, "moved pack")
    pack = ["data=packed", "data.root='moved pack'"]
    ended = call(train.main, *pack, *TRAINED, "hydra.run.dir=run")
    assert ended.code == 0, ended.err
    assert "  size: 72\n" in Path("run/config.yaml").read_text()

    # Decoded at each use, in a worker process, it comes to the same.
    with monkeypatch.context() as patch:
        patch.setattr(room, "available_memory", lambda: 1000)
        settings = ("data.workers=1", "data.cache=new", "hydra.run.dir=records")
        ended = call(train.main, *pack, *TRAINED, *settings)
    assert ended.code == 0, ended.err
    assert "its JPEG records are decoded at each use" in ended.out
    assert told("records") == told("run")

    ended = call(evaluate.main, "checkpoint=run/checkpoints/best.ckpt", "hydra.run.dir=figures")
    assert ended.code == 0, ended.err
    assert told("figures")["test/eer"] == pytest.approx(told("run")["test/eer"])
    # Another pack, cut to the size of the network.
    _, other = prepared(*FACES, "data.seed=5", "data.size=96", "form=jpeg")
    settings = ("data=packed", f"data.root={other}", "part=all", "hydra.run.dir=others")
    ended = call(evaluate.main, "checkpoint=run/checkpoints/best.ckpt", *settings)
    assert ended.code == 0, ended.err
    assert told("others")["all/effective_identities"] == 30


def test_people_that_were_trained_on_are_known_in_a_pack_too(uncached: Path) -> None:
    """Names and fingerprints are those of the pictures that the pack was made of."""
    _, folder = prepared(*FACES, "form=jpeg")
    best = f"checkpoint={uncached / 'checkpoints' / 'best.ckpt'}"
    settings = (best, "data=packed", f"data.root={folder}", "part=all")
    message = refused(Path("none"), *settings, job=evaluate.evaluate, completed=evaluate.completed)
    assert message.startswith("leak: the checkpoint was trained on 24 of 30 identities")
    ended = call(evaluate.main, *settings, "data.allow_leak=true")
    assert "72 of 90 pictures" in ended.out


@pytest.mark.parametrize("form", ["raw", "jpeg"])
def test_verification_names_the_damaged_images(form: str) -> None:
    _, folder = prepared(*FACES, f"form={form}")
    ended, _ = prepared(*FACES, f"form={form}", "verify=true")
    assert f"verified    {folder}: every image is what its checksum says" in ended.out
    with open(folder / ("images.npy" if form == "raw" else "images.jpegs"), "r+b") as file:
        file.seek(-40, 2)
        file.write(b"x")
    message = (
        f"{folder}: 1 of 90 images differ from their checksums: synthetic/0/29/2; delete that folder "
        "and prepare or copy it again"
    )
    assert call(main, *FACES, f"form={form}").code == 0  # opened, not read
    ended = call(main, *FACES, f"form={form}", "verify=true")
    assert (ended.code, ended.err) == (2, f"error: {message}\n")
    # Before anything is packed of it.
    itself = ("data=packed", f"data.root={folder}")
    for asked in ([], ["data.size=32"]):
        assert refused(Path("none"), *itself, "verify=true", *asked, job=prepare) == message
    if form == "jpeg":  # found while it is decoded
        told = refused(Path("none"), *itself, job=prepare)
        assert "1 pictures don't decode: synthetic/0/29/2 (not what its checksum says)" in told


def test_of_a_verified_pack_only_what_was_asked_for_is_packed() -> None:
    _, folder = prepared(*FACES, "form=jpeg", "data.cache=packs")
    ended, told = prepared("data=packed", f"data.root={folder}", "verify=true", "data.cache=new")
    assert told == folder
    assert f"verified    {folder}: every image" in ended.out
    assert not Path("new").exists()
    settings = ("verify=true", "data.size=32", "data.cache=new")
    ended, smaller = prepared("data=packed", f"data.root={folder}", *settings)
    assert smaller.parent == Path("new")
    assert [f"verified    {one}:" in ended.out for one in (folder, smaller)] == [True, True]


def test_an_interruption_says_that_the_same_command_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopping(self: SyntheticFaces) -> Iterator[tuple[int, Read]]:
        yield from list(pictures(self))[:70]
        time.sleep(1)  # those are packed meanwhile
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)  # it is interrupted here

    pictures = SyntheticFaces.pictures
    with monkeypatch.context() as patch:
        patch.setattr(SyntheticFaces, "pictures", stopping)
        ended = call(main, *FACES)
    assert ended.code == 130
    assert ended.err.endswith("\nprepare: interrupted; the same command goes on from there\n")
    ended, _ = prepared(*FACES)
    assert "of 90 images were packed before; going on" in ended.out


def test_whose_lists_a_pack_has_not_is_told_of_lfw_alone(tmp_path: Path) -> None:
    root = write_lfw(tmp_path)
    ended, folder = prepared("data=lfw", f"data.root={root}", "data.size=64")
    assert "splits      data=packed has no data.split=view1 or view2" in ended.out
    settings = ("data=packed", f"data.root={folder}", "data.split=view1", *TRAINED)
    assert "data.split" in refused(Path("none"), *settings)
    ended, _ = prepared(*FACES)
    assert "view1" not in ended.out


def test_a_folder_with_pictures_that_do_not_decode() -> None:
    for number, (_, read) in enumerate(SyntheticFaces(3, 2).pictures()):
        path = Path("faces", f"p{number // 2}", f"{number}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), read())
    Path("faces/p1/broken.jpg").write_bytes(b"x")
    settings = ("data=folder", "data.root=faces", "form=jpeg")
    assert refused(Path("none"), *settings, job=prepare).endswith("data.on_bad_image=skip to leave them out")
    ended, folder = prepared(*settings, "data.on_bad_image=skip", "verify=true")
    assert "left out" in ended.out
    assert len(read_pack(folder).files) == 6


def test_several_at_once() -> None:
    ended = call(main, "--multirun", *FACES, "data.size=64,80")
    assert ended.code == 0, ended.err
    assert sorted(re.findall(r"\(raw, (\d+) px\)", ended.out)) == ["64", "80"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "data: no source of pictures; expected data=synthetic, folder, lfw or packed"),
        ("data=synthetic form=png", "form=png: expected one of raw, jpeg"),
        ("data=synthetic quality=0", "quality=0: expected an integer from 1 to 100"),
        ("data=synthetic quality=high", "quality='high': expected an integer from 1 to 100"),
        ("data=synthetic verify=3", "verify=3: expected true or false"),
        (
            "data=synthetic data.cache=off",
            "data.cache=off: expected a folder to pack into; say data.cache=DIR",
        ),
        ("data=synthetic data.cache=3", "data.cache=3: expected a folder, auto or off"),
        (
            "data=packed",
            "data.root: not given; expected a folder that python -m facenet_lit.prepare made; name that",
        ),
        ("data=packed data.root=missing", "data.root=missing: not found; expected a folder that python -m"),
        ("data=synthetic quallity=3", "quallity: no such setting, did you mean quality?"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(arguments: str, message: str) -> None:
    assert refused(Path("none"), *arguments.split(), job=prepare).startswith(message)
    assert not Path("runs/cache").exists()


def test_a_refusal_is_one_line_of_the_command() -> None:
    ended = call(main)
    assert (ended.code, ended.out) == (2, "")
    message = "data: no source of pictures; expected data=synthetic, folder, lfw or packed"
    assert ended.err.startswith(f"error: {message}")
    assert ended.err.count("\n") == 1


def test_training_on_what_is_no_pack_is_told_too() -> None:
    Path("empty").mkdir()
    for root, wrong in {
        "null": "data.root: not given",
        "empty": "data.root=empty: no pack.json in it",
    }.items():
        told = refused(Path("none"), "data=packed", f"data.root={root}", *TRAINED)
        assert told.startswith(f"{wrong}; expected a folder that python -m facenet_lit.prepare")


def test_another_crop_than_that_of_the_pack() -> None:
    _, folder = prepared(*FACES, "data.crop=50")
    told = refused(Path("none"), "data=packed", f"data.root={folder}", "data.crop=40", job=prepare)
    assert told.endswith("this pack was cut with 50; say data.crop=50, or prepare it anew")


def test_larger_images_than_those_of_the_pack() -> None:
    _, folder = prepared(*FACES)
    assert refused(Path("none"), "data=packed", f"data.root={folder}", "data.size=160", job=prepare) == (
        "data.size=160: the images of this pack have 64 px, and can't be made sharper; "
        "say data.size=64 or less, or prepare it anew from its pictures"
    )


def test_help_tells_every_setting() -> None:
    ended = call(main, "--help")
    assert ended.code == 0
    for line in ("form: raw ", "quality: 90 ", "verify: false ", "  cache: auto ", "  data=packed"):
        assert f"\n{line}" in ended.out
