import sys
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from lightning.pytorch.callbacks import RichProgressBar
from omegaconf import DictConfig

from facenet_lit.budget import Budget
from facenet_lit.config_dir import config_dir
from facenet_lit.errors import UserError
from facenet_lit.lightning_trainer import build_trainer, check_trainer, choose_device


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


@pytest.mark.parametrize("terminal", [True, False])
def test_the_progress_bar_is_drawn_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: not terminal, raising=False)
    trainer = build_trainer(composed(), tmp_path, "32", [], None, None)
    assert isinstance(trainer.progress_bar_callback, RichProgressBar) == terminal
    assert (trainer.progress_bar_callback is None) != terminal


def test_steps_alone_are_the_whole_budget() -> None:
    settings = composed("trainer.steps=100").trainer
    assert str(Budget(settings.minutes, settings.steps)) == "100 steps"
