"""How long a run trains: in minutes, in steps or in both."""

from __future__ import annotations

from facenet_lit.errors import check_integer, check_number

DEFAULT_MINUTES = 3.0  # where neither minutes nor steps are given


class Budget:
    """What may be spent on training, and what is spent.

    Seconds are those of training alone: no validation, no checkpoint, no probe, no packing. Where both
    limits are given, the run ends when both are spent, and its share is the lesser of the two. Images are
    counted only to tell how many there were.

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
        self.images_spent = 0

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
