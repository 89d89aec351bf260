"""How long an epoch and the budget will take: the loader by itself, a step by itself."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from facenet_lit.batch import Batch
from facenet_lit.budget import Budget
from facenet_lit.checks.finding import Cells, Finding, looked

# The first few allocate, and read from a cold disk.
WARM_UP = 1
LEAST = 2  # that are timed, however long they take


class Pace(NamedTuple):
    """What a batch takes.

    Attributes:
        rows: of a batch.
        load: seconds in which the loader makes one.
        step: seconds of a step: forward, mining, loss, backward and the optimiser's.
        at_once: whether worker processes load the next one meanwhile.
    """

    rows: int
    load: float
    step: float
    at_once: bool

    @property
    def batch(self) -> float:
        """Seconds that a batch takes in training."""
        return max(self.load, self.step) if self.at_once else self.load + self.step


def seconds_of_loading(batches: Iterable[Batch], seconds: float, kept: int) -> tuple[float, list[Batch]]:
    """Median seconds in which a batch is made, and the first few batches.

    Args:
        batches: of an epoch.
        seconds: after which no further one is taken.
        kept: how many are wanted.
    """
    first: list[Batch] = []
    marks = [time.perf_counter()]
    for batch in batches:
        marks.append(time.perf_counter())
        first += [batch] if len(first) < kept else []
        if len(marks) > LEAST + WARM_UP and len(first) == kept and marks[-1] - marks[0] > seconds:
            break
    return _median_gap(marks), first


def seconds_of_steps(step: Callable[[], object], seconds: float) -> float:
    """Median seconds of a step.

    Args:
        step: takes one, and ends when it is done.
        seconds: after which no further one is begun.
    """
    marks = [time.perf_counter()]
    while len(marks) <= LEAST + WARM_UP or marks[-1] - marks[0] < seconds:
        step()
        marks.append(time.perf_counter())
    return _median_gap(marks)


def check_speed(
    pace: Pace, batches: int, budget: Budget, accumulate: int, apart: Sequence[str] = ()
) -> Finding:
    """Tells the time of an epoch and of the budget, and whether the network waits for pictures.

    Args:
        pace: what a batch takes.
        batches: of an epoch.
        budget: of the run.
        accumulate: batches of a step.
        apart: in what the steps that were timed differ from those of the run.
    """
    epoch = batches * pace.batch
    steps, seconds = planned(budget, pace.batch * accumulate)
    epochs = steps * accumulate / batches
    spent = f"{duration(seconds)}, " if budget.steps is not None else ""
    said = (
        f"An epoch takes {duration(epoch)}. The budget, {budget}, comes to {spent}{steps:,} steps, {epochs:,.1f} "
        "epochs, validation not counted."
    )
    said += f" Timed {' and '.join(apart)}." if apart else ""
    advice = []
    if pace.load > pace.step:
        mend = "more data.workers" if pace.at_once else "data.workers=2"
        advice.append(f"the network waits for pictures: say {mend}, or augmentation.where=device")
    if epochs < 1:
        advice.append("the budget ends within the first epoch: raise trainer.minutes or trainer.steps")
    return looked("speed", said, "; ".join(advice), _table(pace))


def planned(budget: Budget, step: float) -> tuple[int, float]:
    """Steps and seconds that a budget comes to: where it has two limits, the later one.

    Args:
        budget: of minutes, steps or both.
        step: seconds of one.
    """
    by_minutes = 0 if budget.minutes is None else max(1, round(60 * budget.minutes / step))
    steps = max(by_minutes, budget.steps or 0)
    return steps, steps * step


def duration(seconds: float) -> str:
    """A time in the unit that suits it: ``0.8 s``, ``45 s``, ``12 min``, ``7.5 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _median_gap(marks: list[float]) -> float:
    gaps = [later - earlier for earlier, later in pairwise(marks)]
    return statistics.median(gaps[WARM_UP:] or gaps)


def _table(pace: Pace) -> list[Cells]:
    rows = {"loader alone": pace.load, "network alone": pace.step}
    together = {"together, workers ahead" if pace.at_once else "one after the other": pace.batch}
    return [
        ("", "images/s", "seconds a batch"),
        *(
            (name, f"{pace.rows / seconds:,.0f}", f"{seconds:.3f}")
            for name, seconds in (rows | together).items()
        ),
    ]
