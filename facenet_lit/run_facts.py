"""How a run went, for run.json: what it spent, its best step, what embedding health told of, the network's size."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import lightning as L

from facenet_lit import gathering
from facenet_lit.budget import Budget
from facenet_lit.callbacks.embedding_health import ended_by, told_of
from facenet_lit.verification_module import VerificationModule

log = logging.getLogger(__name__)


def facts_of(
    budget: Budget, best: int | None, callbacks: Iterable[L.Callback], module: VerificationModule
) -> dict[str, object]:
    """The facts, by name; says the first of them.

    Args:
        budget: what was spent of it.
        best: step of the best checkpoint, None where there is none.
        callbacks: of the run, before scoring gives them the state of the best checkpoint.
        module: what was trained.
    """
    found = "there is no checkpoint to score" if best is None else f"the best is step {best}"
    log.info("trained %d steps in %.0f s; %s", budget.steps_spent, budget.seconds_spent, found)
    callbacks = list(callbacks)
    return {
        "processes": gathering.world_size(),
        "steps": budget.steps_spent,
        "seconds": round(budget.seconds_spent, 1),
        "images_per_second": round(budget.images_spent / max(budget.seconds_spent, 1e-9), 1),
        "best_step": best,
        "ended_by": ended_by(callbacks),
        "health": told_of(callbacks),
        "parameters": sum(weight.numel() for weight in module.embedder.parameters()),
        "precision": module.card.precision,
    }
