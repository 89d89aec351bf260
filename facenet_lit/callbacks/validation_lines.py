"""A line in the log for each validation: how far the run is, and how good."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import lightning as L

from facenet_lit.budget import Budget
from facenet_lit.verification_module import VerificationModule

log = logging.getLogger(__name__)

TOLD = ("tar", "far", "eer_balanced")


class ValidationLines(L.Callback):
    """Tells the main figures of each validation while a run trains.

    Args:
        budget: says what is spent.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Logs the line."""
        if isinstance(pl_module, VerificationModule) and trainer.state.fn == "fit":
            log.info("%s", validation_line(trainer.global_step, self.budget, pl_module.figures))


def validation_line(step: int, budget: Budget, figures: Mapping[str, float | None]) -> str:
    """Such as ``step 100, 33%, 59 s: val tar 0.81, far 0.10, eer_balanced 0.123``.

    Args:
        step: steps done.
        budget: what is spent.
        figures: values by name; None where a part has no pairs for it.
    """
    values = {name: figures.get(f"val/{name}") for name in TOLD}
    told = [f"{name} {'-' if value is None else f'{value:.3f}'}" for name, value in values.items()]
    return f"step {step:5d}, {budget.share:4.0%}, {budget.seconds_spent:4.0f} s: val {', '.join(told)}"
