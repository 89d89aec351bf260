"""Every config file runs: composed, instantiated, a step of training, a validation and the test."""

import json
from pathlib import Path

import pytest
from entry_points import NETWORK, SETTINGS, call
from tiny_lfw import write_lfw

from facenet_lit.config_dir import config_dir
from facenet_lit.config_map import read_groups
from facenet_lit.sources.folder import FolderSource
from facenet_lit.sources.packed import pack
from facenet_lit.train import main

OPTIONS = [
    f"{group.name}={option.name}"
    for group in read_groups(config_dir(), "train")
    for option in group.options
    if option.name != "gpu"
]
# What an option wants beside the least settings.
WANTS = {
    "sampler=pk": ["sampler.identities=8", "sampler.singles=4"],
    "model=inception_resnet_v1": ["data.size=75", "data.batch_size=12"],
    "data=lfw": ["data.root=lfw", "data.crop=60"],
    "data=folder": ["data.root=lfw"],
    "data=packed": ["data.root=pack"],
    "data=synthetic": ["data.identities=30", "data.images=3"],
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with drawn faces in LFW's layout, the lists of its view 1, and a pack of them."""
    place = tmp_path_factory.mktemp("place")
    write_lfw(place)
    made = pack(FolderSource(place / "lfw"), None, 64, place, progress=False, quality=90)
    made.folder.rename(place / "pack")
    return place


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_runs(option: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    group = option.split("=")[0]
    if option in ("logger=mlflow", "logger=wandb"):
        pytest.importorskip(option.split("=")[1])
    settings = ["trainer.steps=1", "trainer.val_every_steps=1", *WANTS.get(option, [])]
    if group == "debug":
        settings = []  # they are what it is for
    elif group != "data":
        settings = [*SETTINGS, *settings]
    else:
        settings = ["data.batch_size=36", "trainer.precision=32", *settings]
    network = [] if group == "model" else NETWORK
    ended = call(main, option, *settings, *network, f"hydra.run.dir={tmp_path / 'run'}")
    assert ended.code == 0, ended.err
    figures = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert 0 <= figures["test/eer_balanced"] <= 1


@pytest.mark.parametrize(
    "choices",
    [
        ["data=lfw", "data.root=lfw"],
        ["data=folder", "data.root=lfw", "model=inception"],
        ["sampler=pk", "loss=arcface"],
    ],
)
def test_a_quick_try_of_any_choice(
    choices: list[str], place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    ended = call(main, "debug=tiny", *choices, f"hydra.run.dir={tmp_path / 'run'}")
    assert ended.code == 0, ended.err
    assert "trained 3 steps" in ended.out
    source = choices[0].removeprefix("data=") if "data=" in choices[0] else "synthetic"
    assert f"{source}: train" in ended.out
