"""``python -m facenet_lit.doctor``: what it finds in data and settings made to have each illness."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from entry_points import NETWORK, SETTINGS, TINY, Ended, begin, call, refused
from hydra import compose, initialize_config_dir
from omegaconf import open_dict
from test_trial import tried
from tiny_lfw import write_lfw

from facenet_lit import train, trial
from facenet_lit.checks.finding import Finding, Verdict
from facenet_lit.checks.one_batch import ROWS, check_fit, fit_one_batch
from facenet_lit.checks.training_steps import first_rows
from facenet_lit.command_line import NO_FOLDER
from facenet_lit.composing import Composer
from facenet_lit.config_dir import config_dir
from facenet_lit.doctor import ILL, checked, doctor, look_at_data, main, open_data, page_path
from facenet_lit.errors import UserError
from facenet_lit.sources.synthetic import SyntheticFaces

# As quick as it goes: the learning rate is one at which so small a network learns a batch in a few steps.
QUICK = ["optimizer.lr=1e-2"]
FOLDER = [
    "data=folder",
    "data.root=faces",
    "data.batch_size=36",
    "data.cache=off",
    *SETTINGS[3:],
    *NETWORK,
    *QUICK,
]
CHECKS = ["people", "triplets", "leaks", "labels", "pictures", "pixels", "learning", "speed", "FARs"]


def quick_in(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """In a folder of its own, and what is timed for a moment alone."""
    patch.chdir(folder)
    patch.setattr(trial, "LOADER_SECONDS", 0.05)
    patch.setattr(trial, "NETWORK_SECONDS", 0.05)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick_in(tmp_path, monkeypatch)


def look(*arguments: str) -> Ended:
    """The doctor behind the checks of its command line."""
    return begin(doctor, NO_FOLDER, *arguments)


def of_the_data(*arguments: str) -> dict[str, Finding]:
    """What the doctor finds before it has built a network, by its name."""
    config = Composer(config_dir(), "doctor").compose(arguments)
    with open_dict(config):
        del config["hydra"]
    _, weights, _ = checked(config)
    data, allowed = open_data(config)
    return {finding.name: finding for finding in look_at_data(config, data, weights, allowed)}


@pytest.fixture(scope="module")
def drawn() -> list[np.ndarray]:
    """Three pictures of each of thirty people."""
    return [read() for _, read in SyntheticFaces(30, 3, seed=3).pictures()]


@pytest.fixture
def faces(drawn: list[np.ndarray]) -> Path:
    """A folder with them."""
    root = Path("faces")
    for number, picture in enumerate(drawn):
        put(root / f"p{number // 3:02d}" / f"{number % 3}.png", picture)
    return root


def put(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture[..., ::-1])


def verdicts(ended: Ended) -> dict[str, str]:
    """The verdict of each check, by its name."""
    found = re.findall(r"^(ok|look|stop) +(\w+)", ended.out, re.MULTILINE)
    return {name: verdict for verdict, name in found}


def told(ended: Ended, name: str) -> str:
    """What a check said, in one line."""
    lines = ended.out.splitlines()
    (start,) = (k for k, line in enumerate(lines) if re.match(rf"(ok|look|stop) +{name}\b", line))
    ends = (k for k in range(start + 1, len(lines)) if re.match(r"(ok|look|stop) ", lines[k]))
    return " ".join(" ".join(lines[start : next(ends)]).split())


def everything() -> set[Path]:
    return set(Path().rglob("*"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, set[Path]]:
    """What it says of a sound source and network, and what it wrote."""
    with pytest.MonkeyPatch.context() as patch:
        quick_in(tmp_path_factory.mktemp("sound"), patch)
        return call(main, *TINY, *QUICK), everything()


def test_a_sound_source_and_network(sound: tuple[Ended, set[Path]]) -> None:
    ended, written = sound
    assert ended.code == 0, ended.err
    found = verdicts(ended)
    assert list(found) == [*CHECKS, "in"]
    assert {name for name, verdict in found.items() if verdict == "ok"} >= {
        "triplets", "leaks", "labels", "pictures", "pixels", "learning",
    }  # fmt: skip
    assert max(map(len, ended.out.splitlines())) <= 100
    assert "\x1b" not in ended.out
    assert "whole source 30 90 3 3 3.0 3 0 (0%) 30.0" in told(ended, "people")
    assert "An epoch has 4 batches of 36 rows" in told(ended, "triplets")
    assert "none 90 72 every pair once" in told(ended, "triplets")
    assert "The budget, 4 steps, comes to" in told(ended, "speed")
    assert written == set()


def test_it_stands_in_the_place_of_train(tmp_path: Path) -> None:
    """The same command line does, and makes no folder that it names."""
    write_lfw(tmp_path)
    command = ["data=lfw", "data.root=lfw", "data.crop=60", "sampler=pk", "sampler.identities=8",
               "sampler.singles=0", "data.batch_size=32", "resume=auto", "hydra.run.dir=mine", *SETTINGS[3:],
               *NETWORK, *QUICK]  # fmt: skip
    before = everything()
    ended = call(main, *command)
    assert ended.code == 0, ended.err
    assert "data=lfw sampler=pk" in ended.out
    assert "sampler=pk draws no triplets" in told(ended, "triplets")
    made = everything() - before
    assert {path.parts[0] for path in made} == {"runs"}  # the pack
    assert [path.name for path in Path("runs").iterdir()] == ["cache"]
    trained = begin(train.train, *command)
    assert trained.code == 0, trained.err
    assert "packing" not in trained.err


def test_its_settings_are_those_of_train() -> None:
    with initialize_config_dir(config_dir=str(config_dir()), version_base="1.3"):
        ours, trains = dict(compose("doctor")), dict(compose("train"))
    assert ours.pop("html", "") is None
    assert ours == trains


@pytest.mark.usefixtures("faces")
def test_noise_repeats_a_lonely_image_and_black_pictures_are_found(drawn: list[np.ndarray]) -> None:
    put(Path("faces/alone/0.png"), drawn[0] // 2)
    put(Path("faces/p05/again.png"), drawn[15])
    put(Path("faces/p07/black.png"), np.zeros_like(drawn[0]))
    put(Path("faces/q/other_name.png"), drawn[3])
    put(Path("faces/q/own.png"), drawn[3] // 2)
    ended = look(*FOLDER, "data.split_seed=1", "data.allow_leak=true")
    assert ended.code == 0, ended.err
    assert "32 95 1 3 3.0 4 1 (3%)" in told(ended, "people")
    labels = told(ended, "labels")
    assert labels.startswith(
        "look labels 1 picture is under more than one person (p01/0.png = q/other_name.png)"
    )
    assert "1 image repeats another of the same person and is left out (p05/0.png = p05/again.png)" in labels
    assert "1 of 95 images looked at are of one colour (p07/black.png)" in told(ended, "pictures")
    assert verdicts(ended)["pictures"] == "look"


def test_a_leak_stops(faces: Path, drawn: list[np.ndarray]) -> None:
    for person in faces.iterdir():
        put(person / "same.png", drawn[0])
    ended = look(*FOLDER)
    assert ended.code == ILL
    assert verdicts(ended)["leaks"] == verdicts(ended)["in"] == "stop"
    assert "pictures in both train and val" in told(ended, "leaks")
    assert "-> remove the duplicates or merge the identities" in told(ended, "leaks")
    assert "data.allow_leak=true" in refused(Path(), *FOLDER)  # by train
    assert of_the_data(*FOLDER, "data.allow_leak=true")["leaks"].verdict is Verdict.LOOK
    historical = of_the_data(*TINY, *QUICK, "data.split=triplets")["leaks"]
    assert historical.verdict is Verdict.STOP
    assert "split people" in historical.advice


def test_all_black(faces: Path, drawn: list[np.ndarray]) -> None:
    for number, path in enumerate(sorted(faces.rglob("*.png"))):
        black = np.zeros_like(drawn[0])
        black[0, 0] = (*divmod(number, 200), 0)  # so that no two are equal
        put(path, black)
    ended = look(*FOLDER, "augmentation=none", "data.normalize=image", "optimizer.lr=0")
    assert ended.code == ILL
    assert verdicts(ended)["pictures"] == "stop"
    assert "90 of 90 images looked at are of one colour" in told(ended, "pictures")


def test_pixels_that_are_not_normalised_and_fars_that_are_asked_for_in_vain() -> None:
    ended = look(*TINY, *QUICK, "data.normalize=none", "augmentation=none", "metrics.fars=[0.001]")
    assert ended.code == ILL
    assert verdicts(ended)["pixels"] == "look"
    assert "The network's inputs are not normalised (mean 0." in told(ended, "pixels")
    assert "They lie in 0.00 to 1.00." in told(ended, "pixels")
    assert "1. pixels are not brought around 0: data.normalize=half" in told(ended, "pixels")
    assert verdicts(ended)["FARs"] == "stop"
    assert "metrics.fars=[0.001]: val has 27 impostor pairs, too few" in told(ended, "FARs")


def test_a_network_that_cannot_learn_and_a_figure_that_is_monitored_in_vain() -> None:
    ended = look(*TINY, "optimizer.lr=0", "monitor=val/tar_at_far_1e-3", "test=false")
    assert ended.code == ILL
    assert told(ended, "learning").startswith("stop learning 50 steps on one batch of 36 rows")
    assert "it does not learn: look at optimizer.lr" in told(ended, "learning")
    assert verdicts(ended)["FARs"] == "stop"
    assert "test" not in told(ended, "FARs")


@pytest.mark.parametrize("more", ["loss=arcface", "miner=masked"])
def test_other_networks_that_cannot_learn(more: str) -> None:
    _, data, made = tried("optimizer.lr=0", more)
    batch = first_rows(made.as_trained(data, 0), ROWS)
    found = check_fit(fit_one_batch(made.taking, batch), made.taking.circumstances)
    assert found.verdict is Verdict.STOP
    assert found.said.startswith("50 steps on one batch of 36 rows")
    assert "it does not learn: look at optimizer.lr" in found.advice


def test_a_validation_part_that_is_too_small(sound: tuple[Ended, set[Path]]) -> None:
    assert verdicts(sound[0])["FARs"] == "look"
    assert "FAR 0.001 allows 0 (too few) 0 (too few)" in told(sound[0], "FARs")


@pytest.fixture
def odd_names(drawn: list[np.ndarray]) -> Iterator[None]:
    """People whose names would be markup."""
    for number, picture in enumerate(drawn):
        put(
            Path("faces") / f"<b>&'{number // 3:02d}'</b><script>".replace("/", ";") / f"[{number}].png",
            picture,
        )
    yield
    shutil.rmtree("faces")


@pytest.mark.usefixtures("odd_names")
def test_the_page_with_pictures() -> None:
    ended = look(*FOLDER, "html=pages/doctor.html", "data.allow_leak=true")
    assert ended.code == 0, ended.err
    assert "page  pages/doctor.html" in ended.out
    assert [path.name for path in Path("pages").iterdir()] == ["doctor.html"]
    text = Path("pages/doctor.html").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))
    assert not list(root.iter("script"))
    assert not list(root.iter("b/script"))
    captions = [caption.text for caption in root.iter("figcaption")]
    assert len(captions) == 8
    assert all(caption.startswith("\"<b>&'") for caption in captions)
    assert not re.search(r"https?:|src=\"(?!data:)", re.sub(r"base64,[A-Za-z0-9+/=]+", "", text))
    assert len(list(root.iter("svg"))) == 3
    names = [section.find("h2").text or "" for section in root.iter("section")][len(CHECKS) :]
    assert names == ["Images of a person", "Pixels", "One batch", "People", "Triplets"]
    triplets = next(node for node in root.iter("div") if node.get("class") == "triplets")
    assert len(list(triplets)) == 8
    assert all(len(list(row)) == 3 for row in triplets)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("html=3", "html=3: expected a file to write, such as html=doctor.html"),
        ("htm=x", "htm: no such setting, did you mean html?"),
        ("--multirun seed=0,1", "--multirun: doctor does one job at a start"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(arguments: str, message: str) -> None:
    ended = call(main, *TINY, *arguments.split())
    assert ended.code == 2
    assert ended.err.startswith(f"error: {message}")
    assert ended.err.count("\n") == 1
    assert everything() == set()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("trainer.minutes=0", "trainer.minutes=0: expected a number above 0"),
        ("patience=0", "patience=0: expected"),
        ("data.split=view1", "data.split=view1: expected data=lfw, not synthetic"),
        ("miner=given sampler=pk", "miner=given: expected drawn triplets"),
        ("data.batch_size=35", "data.batch_size=35: sampler=triplets expects a multiple of 3"),
        ("model.weights=gone.ckpt", "model.weights=gone.ckpt: no such file"),
        ("trainer.accumulate=99", "trainer.accumulate=99: expected at most the batches of an epoch"),
    ],
)
def test_what_is_wrong_is_told_as_training_tells_it(arguments: str, message: str) -> None:
    line = refused(Path(), *TINY, *arguments.split(), job=doctor)
    assert line.startswith(message)
    assert "\n" not in line
    assert everything() == set()


def test_what_is_misspelt_is_told_as_training_tells_it() -> None:
    with pytest.raises(UserError, match=r"^model=resnex: did you mean model=resnext\?"):
        Composer(config_dir(), "doctor").compose(["model=resnex"])


@pytest.mark.parametrize(
    ("html", "message"),
    [
        ("", "html=: expected a file to write"),
        (".", "html=.: expected a file to write"),
        ("/proc/x/page.html", "/proc/x: can't be written in"),
    ],
)
def test_where_no_page_can_be_written(html: str, message: str) -> None:
    with pytest.raises(UserError) as refusal:
        page_path(html)
    assert str(refusal.value).startswith(message)
    assert everything() == set()


def test_it_looks_in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2",
                        "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert refused(Path(), *TINY, job=doctor).startswith(
        "several processes were started: the doctor looks in one"
    )


def test_help_tells_its_own_setting_and_those_of_train() -> None:
    ended = call(main, "--help")
    assert ended.code == 0
    for line in ("html: null ", "seed: 0 ", "loss: arcface,", "  loss=triplet", "trainer: cpu, ddp, gpu"):
        assert f"\n{line}" in ended.out
