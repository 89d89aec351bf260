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
    def title(self) -> str:
        """One line: which illness, since when, by which signs."""
        signs = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in self.signs.items())
        name = self.illness.replace("_", " ")
        return f"{name} at step {self.step}: {ILLNESSES[self.illness].title} ({signs})"

    def text(self) -> str:
        """The message for a terminal."""
        lines = [f"  {number}. {cause}" for number, cause in enumerate(self.causes, 1)]
        return "\n".join([f"health: {self.title}; check in this order:", *lines])

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
    "nan": ("loss", "gradient_norm"),
    "inputs": ("mean", "deviation"),
    "collapse": ("least_spread", "spread", "effective_rank", "impostor_distance", "loss", "margin"),
    "exploding": ("loss", "first_loss", "gradient_norm"),
    "partial_collapse": ("effective_rank", "room", "spread"),
    "saturation": ("loss", "active_share", "genuine_distance", "impostor_distance"),
    "gap": ("training_loss", "validation_loss", "margin"),
}
