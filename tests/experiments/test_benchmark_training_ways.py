"""Three ways to train a network: how the speed of each is told."""

from pathlib import Path

import pytest
import torch
from benchmarks import training_ways

from facenet_lit.backbones import build_backbone


def test_networks_are_those_of_their_papers() -> None:
    assert build_backbone("resnext", **training_ways.NETWORKS["resnext"]).features == 2048
    assert build_backbone("inception_resnet_v1", **training_ways.NETWORKS["inception_resnet_v1"]).features > 0


def test_windows_count_as_one_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 100 images each at 50 and at 100 a second there are 200 in 3 seconds; the first window is left out."""

    def train(command: list[str], check: bool) -> None:
        assert "augmentation.where=device" in command
        folder = Path(command[-1].removeprefix("hydra.run.dir="))
        assert not folder.exists()  # what a kill had left is gone
        folder.mkdir()
        (folder / "metrics.csv").write_text("step,train/images_per_second\n10,1\n20,50\n25,\n30,100\n")

    monkeypatch.setattr(training_ways.subprocess, "run", train)
    out = tmp_path / "run"
    out.mkdir()
    setting = training_ways.Setting("cpu")
    assert training_ways.ours("resnext", setting, out, tmp_path) == pytest.approx(200 / 3)


def test_the_loss_is_that_of_people_in_a_batch() -> None:
    embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.995, 0.0999], [0.0, 1.0]])
    people = torch.tensor([0, 0, 1, 1])
    assert 0 < float(training_ways.loss_of(embeddings, people)) < 0.2
