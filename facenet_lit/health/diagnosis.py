"""What is said of an illness: what was seen, and what to check in which order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from facenet_lit.health.illnesses import ILLNESSES


class Diagnosis(NamedTuple):
    """An illness of a run, found at a step.

    Attributes:
        illness: its name.
        step: steps done when it was told of.
        signs: what was measured then, by name.
        causes: likely ones, with what mends them, in the order to check them.
    """

    illness: str
    step: int
    signs: Mapping[str, float]
    causes: list[str]

    @property
    def seen(self) -> str:
        """What is wrong, by which signs."""
        signs = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in self.signs.items())
        return f"{ILLNESSES[self.illness].title} ({signs})"

    @property
    def sentence(self) -> str:
        """The same as a sentence."""
        return f"{self.seen[0].upper()}{self.seen[1:]}."

    @property
    def title(self) -> str:
        """One line: which illness, since when, what was seen."""
        return f"{self.illness.replace('_', ' ')} at step {self.step}: {self.seen}"

    @property
    def advice(self) -> str:
        """What to check, a line each."""
        lines = [f"  {number}. {cause}" for number, cause in enumerate(self.causes, 1)]
        return "\n".join(["check in this order:", *lines])

    def text(self) -> str:
        """The message for a terminal."""
        return f"health: {self.title}; {self.advice}"

    def markdown(self) -> str:
        """The same for a page."""
        lines = [f"{number}. {cause}" for number, cause in enumerate(self.causes, 1)]
        return "\n".join([f"**{self.title}**", "", "Check in this order:", "", *lines])


def signs_of(illness: str, figures: Mapping[str, float]) -> dict[str, float]:
    """Those of the figures of a look that tell of an illness.

    Args:
        illness: its name.
        figures: by name, without a prefix; those that the look does not have are left out.
    """
    return {name: figures[name] for name in _SIGNS[illness] if name in figures}


_SIGNS = {
    "nan": ("loss", "gradient_norm", "rows_not_finite"),
    "inputs": ("mean", "deviation"),
    "collapse": ("least_spread", "spread", "effective_rank", "impostor_distance", "loss", "margin"),
    "exploding": ("loss", "first_loss", "gradient_norm"),
    "partial_collapse": ("effective_rank", "room", "spread"),
    "saturation": ("loss", "active_share", "genuine_distance", "impostor_distance"),
    "gap": ("training_loss", "validation_loss", "margin"),
}
