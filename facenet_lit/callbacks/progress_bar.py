"""The bar of a terminal, which asks for figures no more often than it is told to."""

from __future__ import annotations

import lightning as L
from lightning.pytorch.callbacks import RichProgressBar

Shown = dict[str, int | str | float | dict[str, float]]


class ProgressBar(RichProgressBar):
    """Lightning's, whose figures are those of every few steps: to fetch them from a GPU is to wait for it.

    Args:
        every_steps: steps of training between two looks at the figures.
    """

    def __init__(self, every_steps: int) -> None:
        super().__init__()
        self.every = every_steps
        self._shown: Shown = {}

    def get_metrics(self, trainer: L.Trainer, pl_module: L.LightningModule) -> Shown:
        """The figures beside the bar."""
        if not trainer.training or trainer.global_step % self.every == 0:
            self._shown = super().get_metrics(trainer, pl_module)
        return self._shown
