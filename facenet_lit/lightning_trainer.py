"""Lightning's Trainer for a run, its settings checked, and the device it trains on."""

from __future__ import annotations

import sys
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.callbacks import RichProgressBar
from omegaconf import DictConfig

from facenet_lit.errors import UserError, check_choice, check_integer, check_number
from facenet_lit.precision import PRECISIONS
from facenet_lit.recipe import LoggerFactory


def build_trainer(
    config: DictConfig,
    folder: Path,
    precision: str,
    callbacks: list[L.Callback],
    logger: LoggerFactory | None,
    step: int | None,
) -> L.Trainer:
    """Lightning's Trainer: it loops until the clock says stop.

    Args:
        config: the whole config.
        folder: the run's folder.
        precision: ``32`` or ``bf16``.
        callbacks: in the order in which they are called.
        logger: makes the logger, or None.
        step: the step that a resumed run goes on from, None for a new one: what the event files hold beyond
            it is of steps that are done again.
    """
    settings = config.trainer
    purge_step = 0 if step is None else step + 1
    loggers = [] if logger is None else [logger(save_dir=str(folder), purge_step=purge_step)]
    bar = sys.stdout.isatty()  # where rich draws
    return L.Trainer(
        accelerator=settings.accelerator,
        devices=1,
        precision=PRECISIONS[precision],  # type: ignore[arg-type]
        max_epochs=-1,
        val_check_interval=settings.val_every_steps,
        check_val_every_n_epoch=None,
        log_every_n_steps=settings.log_every_steps,
        gradient_clip_val=settings.gradient_clip,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=bar,
        logger=loggers,
        callbacks=[*callbacks, *([RichProgressBar()] if bar else [])],
        default_root_dir=folder,
    )


def check_trainer(settings: DictConfig) -> None:
    """Checks what :func:`build_trainer` takes, so that it is refused before a picture is decoded.

    Raises:
        UserError: a setting is out of range.
    """
    choose_device(settings.accelerator, "trainer.accelerator")
    check_choice("trainer.precision", str(settings.precision), ("auto", *PRECISIONS))
    check_integer("trainer.val_every_steps", settings.val_every_steps, 1)
    check_integer("trainer.log_every_steps", settings.log_every_steps, 1)
    if settings.gradient_clip is not None:
        check_number("trainer.gradient_clip", settings.gradient_clip, above=True)


def choose_device(accelerator: str, name: str) -> torch.device:
    """The device of an accelerator.

    Args:
        accelerator: ``cpu`` or ``gpu``.
        name: the setting's, as the user writes it.

    Raises:
        UserError: it is not there.
    """
    check_choice(name, accelerator, ("cpu", "gpu"))
    if accelerator == "gpu" and not torch.cuda.is_available():
        raise UserError(
            f"{name}=gpu: torch sees no CUDA device here; say {name}=cpu, or install a CUDA torch"
        )
    return torch.device("cuda" if accelerator == "gpu" else "cpu")
