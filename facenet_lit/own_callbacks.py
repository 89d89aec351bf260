"""The callbacks that every run has."""

from __future__ import annotations

from pathlib import Path

import lightning as L
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from facenet_lit import run_folder
from facenet_lit.budget import Budget
from facenet_lit.callbacks.checkpoints import Checkpoints
from facenet_lit.callbacks.early_stop import EarlyStop
from facenet_lit.callbacks.growing_images import GrowingImages
from facenet_lit.callbacks.run_record import RunRecord
from facenet_lit.callbacks.seeded_steps import SeededSteps
from facenet_lit.callbacks.snapshots import Snapshots
from facenet_lit.callbacks.training_clock import TrainingClock
from facenet_lit.callbacks.validation_lines import ValidationLines
from facenet_lit.growth import Growth
from facenet_lit.loggers.dashboard import Settings


def own_callbacks(
    config: DictConfig, folder: Path, row: Settings
) -> tuple[Budget, Checkpoints, list[L.Callback]]:
    """What every run has, in the order in which it is called, with the budget and the checkpoints among it.

    Args:
        config: the whole config.
        folder: the run's folder.
        row: the settings that a table of runs shows.
    """
    settings, rules = config.trainer, config.checkpoint
    budget = Budget(settings.minutes, settings.steps)
    clock = TrainingClock(budget, instantiate(config.scheduler), settings.log_every_steps)
    where = folder / run_folder.LAST.parent
    checkpoints = Checkpoints(where, config.monitor, rules.every_seconds, rules.best_from, clock)
    return (
        budget,
        checkpoints,
        [
            SeededSteps(config.seed),
            clock,
            GrowingImages(budget, Growth(config.data.size, settings.grow_from, settings.grow_until)),
            ValidationLines(budget),
            Snapshots(where / "snapshots", rules.snapshot_seconds, clock),
            checkpoints,
            EarlyStop(checkpoints, config.patience),
            RunRecord(OmegaConf.to_yaml(config, resolve=True), row, checkpoints, config.test),
        ],
    )
