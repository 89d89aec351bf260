"""Keeps the weights every so many seconds of training, to be scored after the run."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import lightning as L

from facenet_lit import gathering
from facenet_lit.batch import Batch
from facenet_lit.callbacks.training_clock import TrainingClock
from facenet_lit.errors import check_number


class Snapshots(L.Callback):
    """Writes ``0040.213s.ckpt``, the weights after 40.213 seconds of training, into a folder, by rename.

    A curve against seconds that is scored while it is made costs the seconds it tells of. The clock stands still
    while a snapshot is written, as while a run is validated.

    Args:
        folder: where they are written.
        every_seconds: of training, from one to the next; None for none.
        clock: it knows the seconds, and comes before.

    Raises:
        UserError: the number is not above 0.
    """

    def __init__(self, folder: Path, every_seconds: float | None, clock: TrainingClock) -> None:
        name = "checkpoint.snapshot_seconds"
        self.folder = folder
        self.every = None if every_seconds is None else check_number(name, every_seconds, above=True)
        self.clock = clock
        self._next = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """The next one is due at a multiple of the time between them, in a resumed run as well.

        What a killed process had kept after its last checkpoint is not of this run, and goes.
        """
        if self.every is None:
            return
        spent = self.clock.budget.seconds_spent
        self._next = self.every * (math.floor(spent / self.every) + 1)
        if gathering.rank() == gathering.FIRST:
            for path in (*self.folder.glob("*s.ckpt"), *self.folder.glob("*.partial")):
                if path.suffix == ".partial" or float(path.name.removesuffix("s.ckpt")) > spent:
                    path.unlink()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Writes one where it is due and a step ends."""
        if self.every is None or (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        seconds = gathering.told_by_first(self.clock.budget.seconds_spent)
        if seconds < self._next:
            return
        self._next = self.every * (math.floor(seconds / self.every) + 1)
        with self.clock.paused():
            path = self.folder / f"{seconds:08.3f}s.ckpt"
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            trainer.save_checkpoint(partial, weights_only=True)  # each process goes there, the first writes
            if gathering.rank() == gathering.FIRST:
                os.replace(partial, path)
