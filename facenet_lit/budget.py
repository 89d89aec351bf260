"""How long a run trains, in minutes, in steps or in both; and schedules of the spent share of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from facenet_lit.errors import UserError, check_integer, check_number

DEFAULT_MINUTES = 3.0  # where neither minutes nor steps are given


class Budget:
    """What may be spent on training, and what is spent.

    Seconds are those of training alone: no validation, no checkpoint, no probe, no packing. Where both
    limits are given, the run ends when both are spent, and its share is the lesser of the two.

    Args:
        minutes: minutes of training, or None.
        steps: optimiser steps, or None. With neither it is 3 minutes.

    Raises:
        UserError: one is not above 0.
    """

    def __init__(self, minutes: float | None = None, steps: int | None = None) -> None:
        if minutes is None and steps is None:
            minutes = DEFAULT_MINUTES
        self.minutes = None if minutes is None else check_number("trainer.minutes", minutes, above=True)
        self.steps = None if steps is None else check_integer("trainer.steps", steps, 1)
        self.seconds_spent = 0.0
        self.steps_spent = 0

    def __str__(self) -> str:
        minutes = None if self.minutes is None else f"{self.minutes:g} minutes of training"
        steps = None if self.steps is None else f"{self.steps:,} steps"
        return f"{minutes} and {steps}, until both are spent" if minutes and steps else str(minutes or steps)

    @property
    def share(self) -> float:
        """Spent share of the budget, in [0, 1]."""
        shares = []
        if self.minutes is not None:
            shares.append(self.seconds_spent / (60 * self.minutes))
        if self.steps is not None:
            shares.append(self.steps_spent / self.steps)
        return min(1.0, *shares)

    @property
    def is_spent(self) -> bool:
        """Whether training ends here."""
        return self.share >= 1.0


class Schedule:
    """Learning rate as a multiple of its base, by the spent share of the budget.

    Args:
        warmup: share of the budget over which the rate rises linearly from 0.

    Raises:
        UserError: it is out of range.
    """

    def __init__(self, warmup: float = 0.0) -> None:
        self.warmup = check_number("scheduler.warmup", warmup, 0, 1)

    def __call__(self, share: float) -> float:
        """Factor at a share in [0, 1]."""
        if share < self.warmup:
            # Above 0 at the first step, or that step would be lost.
            return max(share / self.warmup, 0.01)
        return self.after_warmup(share)

    def after_warmup(self, share: float) -> float:
        """Factor at a share behind the warm-up: constant here."""
        return 1.0


class CosineSchedule(Schedule):
    """Half a cosine from 1 to ``final`` (Loshchilov & Hutter 2017, section 3, without restarts).

    Args:
        warmup: share of the budget over which the rate rises linearly from 0.
        final: factor at the end.
    """

    def __init__(self, warmup: float = 0.0, final: float = 0.0) -> None:
        super().__init__(warmup)
        self.final = check_number("scheduler.final", final, 0, 1)

    def after_warmup(self, share: float) -> float:
        """Factor at a share behind the warm-up."""
        progress = (share - self.warmup) / max(1.0 - self.warmup, 1e-12)
        return self.final + (1.0 - self.final) * 0.5 * (1.0 + math.cos(math.pi * progress))


class StepSchedule(Schedule):
    """Falls by ``gamma`` at each milestone.

    Args:
        warmup: share of the budget over which the rate rises linearly from 0.
        milestones: shares of the budget at which the rate falls.
        gamma: factor at each.
    """

    def __init__(
        self, warmup: float = 0.0, milestones: Sequence[float] = (0.5, 0.8), gamma: float = 0.1
    ) -> None:
        super().__init__(warmup)
        if isinstance(milestones, str) or not isinstance(milestones, Sequence):
            raise UserError(
                f"scheduler.milestones={milestones}: expected a list of shares of the budget, such as [0.5,0.8]"
            )
        self.milestones = [check_number("scheduler.milestones", m, 0, 1) for m in milestones]
        self.gamma = check_number("scheduler.gamma", gamma, 0, 1)

    def after_warmup(self, share: float) -> float:
        """Factor at a share behind the warm-up."""
        return self.gamma ** sum(share >= milestone for milestone in self.milestones)
