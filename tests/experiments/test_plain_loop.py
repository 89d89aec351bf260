"""The usual way, with a small network in the place of facenet-pytorch's: it trains, and is scored by our figures."""

import itertools
import subprocess
import sys
import types
from typing import cast

import numpy as np
import plain_loop
import pytest
import torch
from torch import nn

from facenet_lit.building import build_data
from facenet_lit.composing import Composer
from facenet_lit.config_dir import config_dir
from facenet_lit.data.datamodule import FaceDataModule


class Small(nn.Module):
    """Means of a grid of pixels, and a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.AdaptiveAvgPool2d(8), nn.Flatten(), nn.Linear(192, 16))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(self.layers(images), dim=1)


def test_it_learns_and_keeps_weights_by_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_loop, "ROWS", 16)
    ticks = itertools.count(step=0.25)
    monkeypatch.setattr(plain_loop.time, "perf_counter", lambda: next(ticks))  # a quarter of a second a step
    config = Composer(config_dir(), "train").compose(["data=synthetic_tiny"])
    data = build_data(config.data)
    data.setup()
    train, test = (plain_loop.Pictures(data, part, train=part == "train") for part in ("train", "test"))
    image, person = test[0]
    number = int(data.parts["test"][0])
    assert torch.equal(
        image, (torch.from_numpy(data.faces.images[number].copy()).permute(2, 0, 1).float() - 127.5) / 128
    )
    assert person == data.faces.identities[number]
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - what the sampler draws by
    network = Small()
    before = plain_loop.scored(network, train)
    kept = list(plain_loop.trained(network, train, seconds=10, every=5))
    assert [(seconds, steps) for seconds, steps, _ in kept] == [(5, 20), (10, 40)]
    assert any(not torch.equal(kept[0][2][name], kept[1][2][name]) for name in kept[0][2])
    assert plain_loop.scored(network, train)["eer_balanced"] < before["eer_balanced"] - 0.01


def test_training_leaves_out_who_has_one_picture(three_people: FaceDataModule) -> None:
    assert {int(person) for person in plain_loop.Pictures(three_people, "train", train=True).labels} == {0, 2}
    assert len(plain_loop.Pictures(three_people, "train", train=False)) == 6


@pytest.fixture
def three_people() -> FaceDataModule:
    """Three people of 3, 1 and 2 pictures, all of them for training."""
    made = types.SimpleNamespace(
        faces=types.SimpleNamespace(identities=np.array([0, 0, 0, 1, 2, 2])), parts={"train": np.arange(6)}
    )
    return cast(FaceDataModule, made)


@pytest.mark.slow
def test_it_starts_in_a_fresh_process() -> None:
    command = [sys.executable, str(plain_loop.__file__)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.endswith(f"{plain_loop.__doc__}\n")
