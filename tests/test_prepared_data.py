from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import InstantiationException
from omegaconf import DictConfig

from facenet_lit.config_dir import config_dir
from facenet_lit.errors import UserError
from facenet_lit.prepared_data import describe, precision_of, prepare_data


def composed(*overrides: str) -> DictConfig:
    tiny = ["data.batch_size=36", "data.cache=null"]
    if "data=folder" not in overrides:
        tiny += ["data.identities=30", "data.images=3"]
    with initialize_config_dir(config_dir=str(config_dir()), version_base="1.3"):
        return compose("train", overrides=[*tiny, *overrides])


def test_what_is_ready_is_described() -> None:
    data = prepare_data(composed(), [], None)
    counts = "train 72 images of 24 identities, val 9 images of 3 identities, test 9 images of 3 identities"
    assert describe(data) == f"synthetic: {counts}"


def test_a_far_that_was_asked_for_by_name_has_to_be_resolvable() -> None:
    said = "metrics.fars=[0.001]"
    assert prepare_data(composed(said), [], None).pack is not None  # as a default it is only not told
    with pytest.raises(UserError, match=r"0\.001"):
        prepare_data(composed(said), [said], None)


def test_the_precision_that_was_said_is_taken() -> None:
    config = composed("trainer.precision=64")
    assert precision_of(config, None, prepare_data(config, [], None), None) == "64"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InstantiationException, match=r"none: not found"):
        prepare_data(composed("data=folder", f"data.root={tmp_path / 'none'}"), [], None)
