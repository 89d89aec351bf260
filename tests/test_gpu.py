"""Runs on a GPU against those of the CPU: ``pytest -m gpu``, where there is one."""

import json
from pathlib import Path

import pytest
import torch
from many_processes import relative_differences
from test_processes import TRAIN, ended, start

pytestmark = pytest.mark.gpu

CLOSE = 1e-4
STEPS = ("trainer.steps=20", "trainer.precision=32", "hydra.run.dir=run")
EXACT = {"NVIDIA_TF32_OVERRIDE": "0"}  # convolutions with all 24 bits


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    path = folder / "run" / "checkpoints" / "last.ckpt"
    return dict(torch.load(path, map_location="cpu", weights_only=True)["state_dict"])


@pytest.fixture(scope="module")
def on_cpu(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process on the CPU."""
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU here")
    folder = tmp_path_factory.mktemp("cpu")
    ended(start(folder, *TRAIN, *STEPS, "model.dropout=0"))  # a GPU draws other numbers
    return folder


def test_one_gpu_gives_what_the_cpu_gives(on_cpu: Path, tmp_path: Path) -> None:
    ended(start(tmp_path, *TRAIN, *STEPS, "model.dropout=0", "trainer=gpu", **EXACT))
    assert max(relative_differences(weights_of(on_cpu), weights_of(tmp_path)).values()) <= CLOSE


def test_two_gpus_give_what_the_cpu_gives(on_cpu: Path, tmp_path: Path) -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("there is one GPU here")
    settings = ("trainer=ddp", "trainer.accelerator=gpu", "trainer.devices=2")
    ended(start(tmp_path, *TRAIN, *STEPS, "model.dropout=0", *settings, **EXACT))
    assert max(relative_differences(weights_of(on_cpu), weights_of(tmp_path)).values()) <= CLOSE


def test_a_run_in_bfloat16_is_healthy(on_cpu: Path, tmp_path: Path) -> None:
    settings = ("trainer=gpu", "trainer.precision=bf16", "trainer.steps=60", "hydra.run.dir=run")
    ended(start(tmp_path, *TRAIN, *settings))
    figures = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert figures["val/eer_balanced"] < 0.5
    assert 0.01 < figures["val/impostor_distance"] < 2
