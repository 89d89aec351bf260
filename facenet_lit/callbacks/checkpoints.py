"""Writes best.ckpt and last.ckpt by rename, and stops cleanly at Ctrl-C and SIGTERM."""

from __future__ import annotations

import logging
import math
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import lightning as L
import torch

from facenet_lit import gathering
from facenet_lit.batch import Batch
from facenet_lit.callbacks.training_clock import TrainingClock
from facenet_lit.errors import check_number
from facenet_lit.metrics.figures import higher_is_better

log = logging.getLogger(__name__)


class StoppedBySignal(Exception):  # noqa: N818 - a stop that was asked for is no error
    """Training was stopped by Ctrl-C or SIGTERM, its checkpoint written.

    Args:
        signum: number of the signal.
        path: the checkpoint.
    """

    def __init__(self, signum: int, path: Path) -> None:
        super().__init__(f"stopped by {signal.Signals(signum).name}")
        self.signum = signum
        self.path = path


class Checkpoints(L.Callback):
    """Keeps ``best.ckpt`` (by the monitor) and ``last.ckpt`` in a folder.

    A file is written beside its place and renamed into it, so a checkpoint that is there is whole.
    ``last.ckpt`` is written at each validation, every so many seconds, and when the run is stopped by
    Ctrl-C or SIGTERM, which take effect when the step or validation at hand is done. A second one takes effect
    at once, and writes nothing. Weights that are not finite are never written there: nothing comes of going on
    from them.

    Of several processes the first decides when to write, and writes; a signal to any stops all at the same step.

    Args:
        folder: where they are written.
        monitor: name of the figure that is best where it is lowest or highest, as its name tells.
        every_seconds: greatest time between two writings of ``last.ckpt``.
        best_from: share of the budget before which no state is the best. Rates of a few hundred people jump,
            and a lucky one before the learning rate has come down is no better state.
        clock: paused while a checkpoint is written; it knows the spent share.

    Attributes:
        best: the monitor's best value, None where there is none yet.
        since_best: validations since the best one, from ``best_from`` on.

    Raises:
        UserError: a number is out of its range.
    """

    def __init__(
        self, folder: Path, monitor: str, every_seconds: float, best_from: float, clock: TrainingClock
    ) -> None:
        self.folder = folder
        self.monitor = monitor
        self.every_seconds = check_number("checkpoint.every_seconds", every_seconds, above=True)
        self.best_from = check_number("checkpoint.best_from", best_from, 0, 1)
        self.clock = clock
        self.best: float | None = None
        self.since_best = 0
        self._written = time.monotonic()
        self._signum: int | None = None
        self._handlers: dict[int, Any] = {}

    @property
    def last_path(self) -> Path:
        """The newest state of the run."""
        return self.folder / "last.ckpt"

    @property
    def best_path(self) -> Path:
        """The state that the monitor was best at."""
        return self.folder / "best.ckpt"

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Takes over Ctrl-C and SIGTERM until training ends."""
        self._written = time.monotonic()
        for signum in (signal.SIGINT, signal.SIGTERM):
            self._handlers[signum] = signal.signal(signum, self._note)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Writes ``last.ckpt`` where it is due, and stops where a signal came; not where validation follows.

        That writes in any case, and a run resumed from a checkpoint before it would go without it. Nor within a step
        of several batches, whose gradients are in no checkpoint.
        """
        batches, every = trainer.fit_loop.total_batch_idx + 1, trainer.val_check_batch
        if self.clock.budget.is_spent or (every is not None and batches % every == 0):
            return
        if batches % trainer.accumulate_grad_batches:
            return
        signum = self._agreed_signum()
        late = gathering.told_by_first(time.monotonic() - self._written) >= self.every_seconds
        if signum or late:
            self._write_last(trainer)
        if signum:
            raise StoppedBySignal(signum, self.last_path)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Writes ``best.ckpt`` where the monitor improved, and ``last.ckpt``; stops where a signal came."""
        if trainer.state.fn != "fit":
            return
        value = float(trainer.callback_metrics.get(self.monitor, torch.tensor(math.nan)))
        # The end of a run has spent all of its budget, so there is a best one.
        if gathering.told_by_first(self.clock.budget.share) >= self.best_from:
            self.since_best += 1
            if self._improves(value):
                self.best, self.since_best = value, 0
                self._write(trainer, self.best_path)
        self._write_last(trainer)
        signum = self._agreed_signum()
        if signum:
            raise StoppedBySignal(signum, self.last_path)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Gives the signals back; not at teardown, when Lightning has given back its own already."""
        self._give_signals_back()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """Gives the signals back."""
        self._give_signals_back()

    def state_dict(self) -> dict[str, Any]:
        """The best value so far, and for how long it has been that."""
        return {"best": self.best, "since_best": self.since_best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes them over."""
        self.best, self.since_best = state_dict["best"], state_dict["since_best"]

    def _give_signals_back(self) -> None:
        while self._handlers:
            signum, handler = self._handlers.popitem()
            signal.signal(signum, handler)

    def _improves(self, value: float) -> bool:
        if math.isnan(value):
            return self.best is None
        if self.best is None or math.isnan(self.best):
            return True
        return value > self.best if higher_is_better(self.monitor) else value < self.best

    def _write_last(self, trainer: L.Trainer) -> None:
        if gathering.done_by_first(lambda: is_finite(trainer.lightning_module)):
            self._write(trainer, self.last_path)
        else:
            self._written = time.monotonic()
            log.warning("step %d: weights are not finite, so last.ckpt stays as it was", trainer.global_step)

    def _write(self, trainer: L.Trainer, path: Path) -> None:
        with self.clock.paused():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            trainer.save_checkpoint(partial)  # each process goes there, the first writes
            if gathering.rank() == gathering.FIRST:
                os.replace(partial, path)
            self._written = time.monotonic()

    def _agreed_signum(self) -> int:
        """The signal that any process got, 0 for none."""
        return gathering.greatest(self._signum or 0)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        name = signal.Signals(signum).name
        if self._signum is not None:
            log.info("%s: stopped at once; the newest checkpoint is the one before", name)
            sys.exit(128 + signum)
        log.info("%s: stopping after this step; again to stop at once", name)
        self._signum = signum


def is_finite(module: L.LightningModule) -> bool:
    """Whether all its weights and statistics are; what is not never becomes so again."""
    values = [value for value in module.state_dict().values() if value.is_floating_point()]
    return all(bool(value.isfinite().all()) for value in values)
