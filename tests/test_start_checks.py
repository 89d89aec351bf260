import logging
from functools import partial

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from facenet_lit.config_dir import config_dir
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.data.samplers import TripletSampler
from facenet_lit.errors import UserError
from facenet_lit.mining import GivenMiner, MaskedMiner, SemiHardMiner
from facenet_lit.sources.synthetic import SyntheticFaces
from facenet_lit.start_checks import (
    count_impostor_pairs,
    refuse_misplaced_values,
    refuse_nonsense,
    refuse_several_processes,
    warn_of_resolution,
)

FARS = [0.1, 0.01, 0.001]


def composed(*overrides: str) -> DictConfig:
    with initialize_config_dir(config_dir=str(config_dir()), version_base="1.3"):
        return compose("train", overrides=list(overrides))


@pytest.fixture(scope="module")
def data() -> FaceDataModule:
    made = FaceDataModule(SyntheticFaces(30, 3), partial(TripletSampler, seed=0), batch_size=12)
    made.setup()
    return made


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.delenv("SLURM_NTASKS", raising=False)


def test_the_defaults_make_sense() -> None:
    refuse_misplaced_values(composed())
    refuse_nonsense(composed(), SemiHardMiner())
    for miner in (GivenMiner(), MaskedMiner(), SemiHardMiner()):
        refuse_nonsense(composed("sampler=triplets"), miner)
    refuse_nonsense(composed("sampler=pk"), SemiHardMiner())


@pytest.mark.parametrize("miner", [GivenMiner(), MaskedMiner()])
def test_a_miner_of_drawn_triplets_needs_them(miner: GivenMiner) -> None:
    with pytest.raises(UserError, match=f"miner={miner.name}: expected drawn triplets"):
        refuse_nonsense(composed("sampler=pk"), miner)


@pytest.mark.parametrize("name", ["val/eer", "val/auc_balanced", "val/loss", "val/tar_at_far_0.354_balanced"])
def test_every_figure_of_val_can_be_the_monitor(name: str) -> None:
    refuse_nonsense(composed("metrics.fars=[0.354]", f"monitor={name}"), SemiHardMiner())


@pytest.mark.parametrize("name", ["test/eer", "eer", "val/tar_at_far_1e-1", "train/loss"])
def test_nothing_else_can(name: str) -> None:
    with pytest.raises(UserError, match=f"monitor={name}: expected one of val/tar, "):
        refuse_nonsense(composed("metrics.fars=[0.354]", f"monitor={name}"), SemiHardMiner())


@pytest.mark.parametrize("devices", [0, 2, "auto", [0, 1], -1])
def test_one_device(devices: object) -> None:
    refuse_several_processes(1)
    with pytest.raises(UserError, match=r"expected trainer\.devices=1"):
        refuse_several_processes(devices)


@pytest.mark.parametrize(("value", "refused"), [("2", True), ("1", False), ("", False), ("x", False)])
def test_one_process(monkeypatch: pytest.MonkeyPatch, value: str, refused: bool) -> None:
    monkeypatch.setenv("WORLD_SIZE", value)
    if refused:
        with pytest.raises(UserError, match="one process trains so far"):
            refuse_several_processes(1)
    else:
        refuse_several_processes(1)


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_impostor_pairs_are_counted_as_by_a_loop(data: FaceDataModule, part: str) -> None:
    people = data.faces.identities[data.parts[part]]
    different = people[:, None] != people[None, :]
    assert count_impostor_pairs(data, part) == np.triu(different, 1).sum()


def test_a_far_that_is_not_resolvable_is_warned_of_once_a_part(
    data: FaceDataModule, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "facenet_lit"):
        warn_of_resolution(data, "val/eer_balanced", FARS, asked=False)
    lines = [record.getMessage() for record in caplog.records]
    # 27 impostor pairs a part: 2.7 of them at 0.1 is coarse, 0.27 at 0.01 is nothing.
    for part in ("val", "test"):
        told = [line.split(":")[1].strip() for line in lines if line.startswith(part)]
        assert told == [
            "tar_at_far_1e-1 is coarse",
            "tar_at_far_1e-2 is left out",
            "tar_at_far_1e-3 is left out",
        ]


@pytest.mark.parametrize("ending", ["", "_balanced"])
def test_it_is_refused_as_the_monitor(data: FaceDataModule, ending: str) -> None:
    warn_of_resolution(data, "val/tar_at_far_1e-1" + ending, FARS, asked=False)
    with pytest.raises(UserError, match="val has 27 impostor pairs, too few for") as caught:
        warn_of_resolution(data, "val/tar_at_far_1e-2" + ending, FARS, asked=False)
    assert str(caught.value).startswith("monitor=val/tar_at_far_1e-2")


def test_it_is_refused_where_it_was_asked_for(data: FaceDataModule) -> None:
    warn_of_resolution(data, "val/eer_balanced", [0.1], asked=True)
    with pytest.raises(UserError, match=r"metrics\.fars=\[0\.1, 0\.01\]: val has 27 impostor pairs"):
        warn_of_resolution(data, "val/eer_balanced", [0.1, 0.01], asked=True)


@pytest.mark.parametrize("override", ["checkpoint=3", "model.arguments=null", "callbacks.roc=3"])
def test_a_value_in_the_place_of_settings(override: str) -> None:
    with pytest.raises(UserError, match="expected settings under it"):
        refuse_misplaced_values(composed(override))
