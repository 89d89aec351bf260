"""Training on images that grow: which side the network sees at which step, stopped and gone on with or not."""

import json
import signal
from pathlib import Path

import pytest
import torch
from entry_points import SETTINGS, TINY, Ended, begin, refused, stop_at
from torch import Tensor

from facenet_lit.backbones.resnext import ResNeXt
from facenet_lit.train import train

GROWING = ["trainer.steps=8", "trainer.val_every_steps=8", "trainer.grow_from=32", "trainer.grow_until=0.75"]


def run(folder: Path, *arguments: str) -> Ended:
    return begin(train, *TINY, *GROWING, "test=false", "resume=auto", f"hydra.run.dir={folder}", *arguments)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, int]]:
    """Whether the network trains, and the side of the images, at each call of it with weights."""
    calls: list[tuple[bool, int]] = []
    forward = ResNeXt.forward

    def told(self: ResNeXt, images: Tensor) -> Tensor:
        if images.device.type != "meta":
            calls.append((self.training, images.shape[3]))
        return forward(self, images)

    monkeypatch.setattr(ResNeXt, "forward", told)
    return calls


def test_training_grows_and_validation_sees_whole_images(
    tmp_path: Path, seen: list[tuple[bool, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    ended = run(whole)
    assert ended.code == 0, ended.err
    assert [side for training, side in seen if training] == [32, 32, 32, 48, 48, 48, 64, 64]
    assert {side for training, side in seen if not training} == {64}
    assert "step 3      training on images of 48 px" in ended.out
    seen.clear()
    with monkeypatch.context() as patch:
        stop_at(patch, "on_train_batch_end", 4, signal.SIGTERM)
        assert run(stopped).code == 143
    assert run(stopped).code == 0
    assert [side for training, side in seen if training] == [32, 32, 32, 48, 48, 48, 64, 64]
    assert json.loads((stopped / "metrics.json").read_text()) == json.loads(
        (whole / "metrics.json").read_text()
    )
    first, second = (
        torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
        for folder in (whole, stopped)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_without_growth_nothing_is_said(tmp_path: Path, seen: list[tuple[bool, int]]) -> None:
    ended = run(tmp_path, "trainer.grow_from=null", "trainer.steps=2")
    assert ended.code == 0
    assert "px" not in ended.out
    assert {side for _, side in seen} == {64}


def test_a_network_that_cannot_take_the_first_images_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, *SETTINGS, "model=inception_resnet_v1", "data.size=112", "trainer.grow_from=32")
    assert said.startswith("trainer.grow_from=32: inception_resnet_v1 expects 75 or more")
