"""Spends the budget: counts seconds and steps, sets the learning rate, ends the run."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning as L
from torch.optim import Optimizer

from facenet_lit import gathering
from facenet_lit.batch import Batch
from facenet_lit.budget import Budget
from facenet_lit.schedule import Schedule

log = logging.getLogger(__name__)


class TrainingClock(L.Callback):
    """Keeps a budget while a run trains, and the learning rate on its schedule.

    The clock runs from the start of training, loading of batches included, and stands still during
    validation and while checkpoints are written.

    Args:
        budget: what may be spent.
        schedule: factor of the learning rate by the spent share.
        every: steps between two logged values of speed and learning rate.
    """

    def __init__(self, budget: Budget, schedule: Schedule, every: int = 10) -> None:
        self.budget = budget
        self.schedule = schedule
        self.every = every
        self._started: float | None = None
        self._images_mark = 0
        self._seconds_mark = 0.0

    def pause(self) -> None:
        """Stops the clock: what follows is not training."""
        if self._started is not None:
            self.budget.seconds_spent += time.perf_counter() - self._started
            self._started = None

    def resume(self) -> None:
        """Lets the clock run on."""
        if self._started is None:
            self._started = time.perf_counter()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stops the clock for a while, if it runs."""
        running = self._started is not None
        self.pause()
        try:
            yield
        finally:
            if running:
                self.resume()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Tells the budget and starts the clock; a run resumed with nothing left to spend stops at once."""
        log.info("budget: %s%s", self.budget, f", {self.budget.share:.0%} spent" if self.budget.share else "")
        trainer.should_stop = trainer.should_stop or self.budget.is_spent
        self._set_marks()
        self.resume()

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        """Sets the learning rate."""
        self._agree()
        factor = self.schedule(self.budget.share)
        for optimizer in trainer.optimizers:
            set_rate(optimizer, factor)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Takes the time, and ends the run when the budget is spent."""
        with self.paused():
            pass  # takes the time
        self._agree()
        self.budget.images_spent += batch.global_rows
        if trainer.global_step == self.budget.steps_spent:
            return  # within a step: its gradient is the mean over several batches
        self.budget.steps_spent = trainer.global_step
        if trainer.global_step % self.every == 0:
            seconds = self.budget.seconds_spent - self._seconds_mark
            images = self.budget.images_spent - self._images_mark
            rate = trainer.optimizers[0].param_groups[0]["lr"]
            figures = {"train/images_per_second": images / seconds, "train/learning_rate": rate}
            for logger in trainer.loggers:
                logger.log_metrics(figures, step=trainer.global_step)
            pl_module.log(
                "train/images_per_second", figures["train/images_per_second"], logger=False, prog_bar=True
            )
            self._set_marks()
        if self.budget.is_spent:
            trainer.should_stop = True

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stops the clock."""
        self.pause()

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Lets it run on, where validation was a break in training."""
        if trainer.state.fn == "fit":
            self.resume()

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stops the clock."""
        self.pause()

    def state_dict(self) -> dict[str, Any]:
        """What is spent."""
        with self.paused():
            spent = self.budget
            return {
                "seconds_spent": spent.seconds_spent,
                "steps_spent": spent.steps_spent,
                "images_spent": spent.images_spent,
            }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from what was spent."""
        self.budget.seconds_spent = float(state_dict["seconds_spent"])
        self.budget.steps_spent = int(state_dict["steps_spent"])
        self.budget.images_spent = int(state_dict["images_spent"])

    def _agree(self) -> None:
        """Takes the first process's seconds: all have one learning rate, and end at one step."""
        if self.budget.minutes is not None:
            self.budget.seconds_spent = gathering.told_by_first(self.budget.seconds_spent)

    def _set_marks(self) -> None:
        """What is counted from here on makes the next figure of speed."""
        self._images_mark, self._seconds_mark = self.budget.images_spent, self.budget.seconds_spent


def set_rate(optimizer: Optimizer, factor: float) -> None:
    """Sets each group's learning rate to ``factor`` times its first one."""
    for group in optimizer.param_groups:
        group.setdefault("base_lr", group["lr"])
        group["lr"] = group["base_lr"] * factor
