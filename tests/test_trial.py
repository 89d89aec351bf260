"""The short trial of a run's network, beside what a run itself builds."""

from __future__ import annotations

import pytest
import torch
from entry_points import NETWORK, TINY, begin

from facenet_lit import train, trial
from facenet_lit.budget import Budget
from facenet_lit.building import build_data
from facenet_lit.checkpoint import load_embedder
from facenet_lit.checks.finding import Verdict
from facenet_lit.composing import Composer
from facenet_lit.config_dir import config_dir
from facenet_lit.recipe import build_recipe
from facenet_lit.trial import Trial, look_at_training, prepare_trial
from facenet_lit.weights import read_weights


def tried(*more: str) -> tuple[object, object, Trial]:
    config = Composer(config_dir(), "train").compose([*TINY, "optimizer.lr=1e-2", *more])
    data = build_data(config.data, config)
    data.setup()
    torch.manual_seed(0)
    weights = None if config.model.weights is None else read_weights(config.model.weights)
    return config, data, prepare_trial(config, "synthetic", data, build_recipe(config), weights)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "LOADER_SECONDS", 0.05)
    monkeypatch.setattr(trial, "NETWORK_SECONDS", 0.05)


def test_it_shows_what_the_first_batches_hold() -> None:
    config, data, made = tried()
    findings, pictures = look_at_training(config, data, made, Budget(None, 40))
    assert [finding.name for finding in findings] == ["pixels", "learning", "speed"]
    assert findings[1].verdict is Verdict.OK
    files = {one.name for row in [*pictures.people, *pictures.triplets] for one in row.shown}
    trained = {data.faces.files[number] for number in data.parts["train"]}
    assert files <= trained
    assert pictures.drawn == "as drawn"
    assert sum(height for _, height in pictures.images) == 24
    # The first epoch, as a run draws and augments it.
    first = next(iter(data.train_dataloader()))
    assert made.batches[0].images.equal(first.images)
    shown = pictures.triplets[0].shown[0].picture
    assert shown.tolist() == first.images[0].permute(1, 2, 0).tolist()


def test_people_batches_show_what_is_mined() -> None:
    settings = [
        "sampler=pk",
        "sampler.identities=8",
        "sampler.images=3",
        "sampler.singles=0",
        "data.batch_size=24",
    ]
    config, data, made = tried(*settings)
    _, pictures = look_at_training(config, data, made, Budget(None, 40))
    assert pictures.drawn == "by miner=semi_hard, before training"
    people = [[one.name.split("/")[2] for one in row.shown] for row in pictures.triplets]
    assert all(anchor == positive != negative for anchor, positive, negative in people)


def test_images_are_changed_where_the_network_is() -> None:
    _, data, made = tried("augmentation.where=device")
    batch = made.as_trained(data, 0)
    assert made.batches[0].images.dtype == torch.uint8
    expected = data.augmentation(made.batches[0].images, (data.seed, 0, 0), 0)
    torch.testing.assert_close(batch.images, expected)


def test_it_starts_from_the_weights_that_the_run_does(tmp_path: object) -> None:
    ended = begin(train.train, *TINY, f"hydra.run.dir={tmp_path}/run")
    assert ended.code == 0, ended.err
    path = f"{tmp_path}/run/checkpoints/best.ckpt"
    _, _, made = tried(f"model.weights={path}", *NETWORK)
    expected = load_embedder(path).state_dict()
    for name, weight in made.taking.module.embedder.state_dict().items():
        torch.testing.assert_close(weight, expected[name])


def test_what_differs_from_the_run_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (90.0, 0.0, 0.0))
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    config, data, made = tried("trainer.grow_from=48", "trainer.devices=2", "trainer.precision=64")
    *_, speed = look_at_training(config, data, made, Budget(None, 40))[0]
    assert "Timed at the whole size of the images and in one process and beside other work" in speed.said
    assert "a load of 90 on 4 cores" in speed.said
    assert made.taking.module.embedder.mean.dtype == torch.float64
