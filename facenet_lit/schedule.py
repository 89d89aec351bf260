"""Learning rates by the spent share of the budget."""

from __future__ import annotations

import math
from collections.abc import Sequence

from facenet_lit.errors import UserError, check_number


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
