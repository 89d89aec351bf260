"""Whether the network can learn one batch by heart: what can't do that learns nothing from many."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Sequence
from typing import NamedTuple

from facenet_lit.batch import Batch
from facenet_lit.checks.finding import Finding, Verdict
from facenet_lit.checks.training_steps import TrainingSteps
from facenet_lit.health.causes import Circumstances, causes
from facenet_lit.health.diagnosis import Diagnosis, signs_of
from facenet_lit.health.illnesses import POINT

STEPS = 50
# Rows of the batch that are taken: enough for triplets of a few dozen people, and a CPU has them in a second.
ROWS = 96
SECONDS = 60.0
# So many steps in a row below the goal, and it is reached.
HELD = 5
GOAL = 0.1  # of the margin
LEAST_FALL = 0.1  # share that a loss falls by at least where weights learn, dropout's noise apart


class Fit(NamedTuple):
    """How steps on one batch went.

    Attributes:
        losses: of each step, see ``Told``.
        spread: of the embeddings at the last one.
        margin: of the loss.
        rows: of the batch.
    """

    losses: Sequence[float]
    spread: float
    margin: float
    rows: int

    @property
    def goal(self) -> float:
        """The loss that is to be undercut: a tenth of the margin."""
        return GOAL * self.margin

    @property
    def reached(self) -> bool:
        """Whether the last few losses are below the goal."""
        return len(self.losses) >= HELD and all(loss < self.goal for loss in self.losses[-HELD:])

    @property
    def fall(self) -> float:
        """The share that the loss fell by, from the median of the first few steps to that of the last ones."""
        first = statistics.median(self.losses[:HELD])
        return 1 - statistics.median(self.losses[-2 * HELD :]) / first if first else 0.0


def fit_one_batch(taking: TrainingSteps, batch: Batch, steps: int = STEPS, seconds: float = SECONDS) -> Fit:
    """Takes steps on one batch until its loss stays below a tenth of the margin.

    Args:
        taking: what steps are taken with.
        batch: on the device.
        steps: at most.
        seconds: after which no further one is begun.
    """
    end, losses = time.perf_counter() + seconds, []
    while True:
        loss, spread = taking.step(batch)
        losses.append(loss)
        fit = Fit(losses, spread, taking.told_by.margin, len(batch.numbers))
        over = len(losses) == steps or not math.isfinite(loss) or time.perf_counter() > end
        if over or fit.reached:
            return fit


def check_fit(fit: Fit, run: Circumstances, steps: int = STEPS) -> Finding:
    """Whether one batch was learnt by heart; where not, what to check, in this order.

    Args:
        fit: how it went.
        run: what it trains with.
        steps: how many there were to be at most.
    """
    first, last = fit.losses[0], fit.losses[-1]
    said = (
        f"{len(fit.losses)} steps on one batch of {fit.rows} rows, all at optimizer.lr={run.learning_rate:g}, brought "
        f"the loss over its triplets from {first:.4f} to {last:.4f}; a tenth of the margin is {fit.goal:.4f}."
    )
    if fit.reached:
        return Finding("learning", Verdict.OK, said)
    ill = _illness(fit, run)
    if ill is not None:
        return Finding("learning", Verdict.STOP, f"{said} {ill.sentence}", ill.advice)
    if fit.fall < LEAST_FALL:
        advice = "it does not learn: look at optimizer.lr (too low, or too high), model.freeze, and the pixels above"
        return Finding("learning", Verdict.STOP, said, advice)
    if len(fit.losses) < steps:
        advice = f"only {len(fit.losses)} of {steps} steps fit into {SECONDS:.0f} s; try a smaller network"
    else:
        slow = "raise optimizer.lr, lower model.dropout and optimizer.weight_decay"
        advice = f"it learns slowly: {slow}; look at labels and pictures"
    return Finding("learning", Verdict.LOOK, said, advice)


def _illness(fit: Fit, run: Circumstances) -> Diagnosis | None:
    """What embedding health would tell of the last step."""
    loss = fit.losses[-1]
    name = "nan" if not math.isfinite(loss) else "collapse" if fit.spread < POINT else None
    if name is None:
        return None
    signs = signs_of(name, {"spread": fit.spread, "loss": loss, "margin": fit.margin})
    return Diagnosis(name, len(fit.losses), signs, causes(name, run))
