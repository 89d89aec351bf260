"""Every config file runs: composed, instantiated, a step of training, a validation and the test."""

import json
from pathlib import Path

import pytest
from entry_points import NETWORK, call
from tiny_lfw import write_lfw

from facenet_lit import evaluate
from facenet_lit.config_dir import config_dir
from facenet_lit.config_map import read_groups
from facenet_lit.sources.folder import FolderSource
from facenet_lit.sources.packed import pack
from facenet_lit.train import main

OPTIONS = {
    f"{group.name}={option.name}" for group in read_groups(config_dir(), "train") for option in group.options
}
# Runs in which each option has its turn, and what it wants beside the least settings.
SMALL = "trainer.steps=1 trainer.val_every_steps=1 trainer.precision=32 data.batch_size=36"
RUNS = [
    f"{SMALL} data=synthetic data.identities=30 data.images=3 sampler=triplets augmentation=light model=resnext "
    "loss=semi_hard_mean miner=semi_hard optimizer=adamw scheduler=cosine trainer=cpu callbacks=default "
    "logger=tensorboard metrics=verification " + " ".join(NETWORK),
    f"{SMALL} data=lfw data.root=lfw data.crop=60 augmentation=moderate model=inception miner=masked "
    "optimizer=adam scheduler=constant logger=csv",
    f"{SMALL} data=folder data.root=lfw augmentation=strong model=inception_plain loss=arcface_triplet "
    "miner=given optimizer=sgd scheduler=step",
    f"{SMALL} data=packed data.root=pack augmentation=none model=timm loss=arcface",
    f"{SMALL} data=synthetic_tiny data.identities=30 data.images=3 data.size=75 data.batch_size=12 "
    "model=inception_resnet_v1 loss=triplet miner=all",
    f"{SMALL} data.identities=30 data.images=3 logger=mlflow",
    f"{SMALL} data.identities=30 data.images=3 logger=wandb",
]
# Its settings are what debug is for.
QUICK = [
    "debug=tiny data=lfw data.root=lfw loss=cosface",
    "debug=tiny sampler=pk miner=hard",
    "debug=tiny sampler=pk loss=supcon",
]
ELSEWHERE = {"trainer=ddp", "trainer=gpu"}  # in test_processes.py and test_gpu.py


def test_every_option_has_its_turn() -> None:
    assert {setting for run in (*RUNS, *QUICK) for setting in run.split()} >= OPTIONS - ELSEWHERE


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with drawn faces in LFW's layout, the lists of its view 1, and a pack of them."""
    place = tmp_path_factory.mktemp("place")
    write_lfw(place)
    made = pack(FolderSource(place / "lfw"), None, 64, place, progress=False, quality=90)
    made.folder.rename(place / "pack")
    return place


def told(folder: Path) -> dict[str, float]:
    return dict(json.loads((folder / "metrics.json").read_text()))


@pytest.mark.parametrize("settings", RUNS, ids=range(len(RUNS)))
def test_every_option_runs(
    settings: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained, and its best checkpoint evaluated again: of each network, each source and each loss."""
    monkeypatch.chdir(place)
    chosen = settings.split()
    for logger in {"logger=mlflow", "logger=wandb"}.intersection(chosen):
        pytest.importorskip(logger.split("=")[1])
    ended = call(main, *chosen, f"hydra.run.dir={tmp_path / 'run'}")
    assert ended.code == 0, ended.err
    figures = told(tmp_path / "run")
    assert 0 <= figures["test/eer_balanced"] <= 1
    assert 0 <= figures["val/loss"] < 1  # always that of triplets
    best = f"checkpoint={tmp_path / 'run' / 'checkpoints' / 'best.ckpt'}"
    ended = call(evaluate.main, best, f"hydra.run.dir={tmp_path / 'again'}")
    assert ended.code == 0, ended.err
    assert told(tmp_path / "again")["test/eer"] == pytest.approx(figures["test/eer"])


@pytest.mark.parametrize("settings", QUICK)
def test_a_quick_try_of_any_choice(
    settings: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    ended = call(main, *settings.split(), f"hydra.run.dir={tmp_path / 'run'}")
    assert ended.code == 0, ended.err
    assert "trained 3 steps" in ended.out
    assert f"{'lfw' if 'data=lfw' in settings else 'synthetic'}: train" in ended.out
    assert 0 <= told(tmp_path / "run")["test/eer_balanced"] <= 1
