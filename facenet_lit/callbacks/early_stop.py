"""Ends a run whose monitor no longer gets better."""

from __future__ import annotations

import logging

import lightning as L

from facenet_lit.callbacks.checkpoints import Checkpoints
from facenet_lit.errors import check_integer

log = logging.getLogger(__name__)


class EarlyStop(L.Callback):
    """Ends a run after so many validations without a better monitor (Prechelt 1998, Early Stopping - But When?).

    It has no state: what it goes by is in that of the checkpoints, so a run that was killed between its last
    validation and its figures ends where the unbroken one did. It stands behind them and the clock.

    Args:
        checkpoints: they know the best.
        patience: number of validations, or None for never.

    Raises:
        UserError: it is no number of 1 or more.
    """

    def __init__(self, checkpoints: Checkpoints, patience: int | None) -> None:
        self.checkpoints = checkpoints
        self.patience = None if patience is None else check_integer("patience", patience, 1)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Ends a resumed run that had ended."""
        self._stop_where_due(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Ends the run where it is time."""
        if trainer.state.fn == "fit":
            self._stop_where_due(trainer)

    def _stop_where_due(self, trainer: L.Trainer) -> None:
        if self.patience is not None and self.checkpoints.since_best >= self.patience:
            since, name = self.checkpoints.since_best, self.checkpoints.monitor
            log.info("%s is not better since %d validations: the run ends (patience)", name, since)
            trainer.should_stop = True
