"""A line in the log for each validation: how far the run is, and how good."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import lightning as L

from facenet_lit.budget import Budget
from facenet_lit.metrics.bounds import with_bounds
from facenet_lit.verification_module import VerificationModule

log = logging.getLogger(__name__)

ALONE, BOUNDED = ("tar", "far"), "eer_balanced"  # bounds of all would not fit into the line


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
    """Such as ``step 100, 33%, 59 s: val tar 0.812, far 0.100, eer_balanced 0.123 [0.101, 0.148]``.

    Args:
        step: steps done.
        budget: what is spent.
        figures: values by name; None where a part has no pairs for it.
    """
    alone = {name: figures.get(f"val/{name}") for name in ALONE}
    told = [f"{name} {with_bounds(alone, name)}" for name in alone]
    told.append(f"{BOUNDED} {with_bounds(figures, f'val/{BOUNDED}')}")
    return f"step {step:5d}, {budget.share:4.0%}, {budget.seconds_spent:4.0f} s: val {', '.join(told)}"
