"""Lets the images of training grow with the spent budget."""

from __future__ import annotations

import logging
from typing import cast

import lightning as L

from facenet_lit.batch import Batch
from facenet_lit.budget import Budget
from facenet_lit.growth import Growth
from facenet_lit.verification_module import VerificationModule

log = logging.getLogger(__name__)


class GrowingImages(L.Callback):
    """Sets the side of a batch's images; called after the clock, whose budget all processes agree on.

    Args:
        budget: what is spent.
        growth: the side by the spent share.
    """

    def __init__(self, budget: Budget, growth: Growth) -> None:
        self.budget = budget
        self.growth = growth

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        """Sets the side, and tells where it changes."""
        module, side = cast(VerificationModule, pl_module), self.growth(self.budget.share)
        if module.training_size == side:
            return
        module.training_size = side
        if self.growth.start < self.growth.size:
            log.info("step %-6d training on images of %d px", trainer.global_step, side)
