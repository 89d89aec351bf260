import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from facenet_lit.budget import Budget
from facenet_lit.config_dir import config_dir
from facenet_lit.errors import UserError
from facenet_lit.lightning_trainer import check_trainer, choose_device


def composed(*overrides: str) -> DictConfig:
    with initialize_config_dir(config_dir=str(config_dir()), version_base="1.3"):
        return compose("train", overrides=list(overrides))


@pytest.mark.parametrize(
    "override",
    ["precision=16", "val_every_steps=0", "log_every_steps=1.5", "gradient_clip=0", "accelerator=tpu"],
)
def test_a_bad_setting_of_the_trainer(override: str) -> None:
    with pytest.raises(UserError, match=f"trainer.{override.split('=')[0]}="):
        check_trainer(composed(f"trainer.{override}").trainer)
    check_trainer(composed("trainer.gradient_clip=1", "trainer.precision=32").trainer)


def test_the_device_of_an_accelerator() -> None:
    assert choose_device("cpu", "accelerator") == torch.device("cpu")
    if torch.cuda.is_available():
        assert choose_device("gpu", "accelerator") == torch.device("cuda")
    else:
        with pytest.raises(
            UserError, match=r"^accelerator=gpu: torch sees no CUDA device here; say accelerator=cpu"
        ):
            choose_device("gpu", "accelerator")
        with pytest.raises(UserError, match=r"^trainer.accelerator=gpu: .* say trainer.accelerator=cpu"):
            check_trainer(composed("trainer=gpu").trainer)
    with pytest.raises(UserError, match=r"^accelerator=tpu: expected one of cpu, gpu"):
        choose_device("tpu", "accelerator")


def test_steps_alone_are_the_whole_budget() -> None:
    settings = composed("trainer.steps=100").trainer
    assert str(Budget(settings.minutes, settings.steps)) == "100 steps"
