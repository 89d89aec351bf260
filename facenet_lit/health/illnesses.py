"""The rules that recognise an illness in what was measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from facenet_lit.health.inputs import Inputs
from facenet_lit.health.vitals import Shape, Vitals

# Spread below which embeddings are one point: two are 0.03 apart, where a usual margin is 0.2. What has collapsed has
# hardly any; a plain network begins in a cone of 0.05.
POINT = 0.02
FEW = 3.5  # dimensions, where there is room for many; a healthy small run has been seen at 5.8
FALLEN = (
    2.0  # times as many dimensions at some look before: what begins in few, in a narrow cone, has lost none
)
SETTLED = 20  # looks after which the beginning excuses nothing
FEW_OF_ROOM = 0.25  # of the dimensions that there is room for, where these are few
LOSS_TIMES, LOSS_TIMES_FIRST = 3.0, 1.5  # its least mean, and its first one
# Below which no loss explodes: a mean over a few hinges jumps, but hardly above three margins; other losses are larger.
LEAST_LOSS, LEAST_MARGINS = 1.0, 3.0
GRADIENT_TIMES = 100.0  # its greatest norm among the first looks that had any
FIRST_LOOKS = 5
# In LFW's view 1 an EER of 0.15 came with a validation's loss of 0.17 margins.
MET, MISSED = 0.05, 0.25  # mean loss in margins, below which the margin is met, and above which it is not


class Illness(NamedTuple):
    """What may be wrong with a run.

    Attributes:
        title: what is seen, in a few words.
        looks: how many in a row have to show it: a healthy run's first steps show some for a while.
    """

    title: str
    looks: int


ILLNESSES = {
    "nan": Illness("loss, gradient or embeddings are not finite", 1),
    "inputs": Illness("the network's inputs are not normalised", 1),
    "collapse": Illness("all embeddings fall into nearly one point", 2),
    "exploding": Illness("the loss or its gradient explodes", 2),
    "partial_collapse": Illness("the embeddings lie in few dimensions", 4),
    "saturation": Illness("no triplet is active any more", 4),
    "gap": Illness("the margin is met in training, but not in validation", 3),
}
# What a look at a batch may show; inputs are looked at once, the gap is at validations.
OF_A_BATCH = ("nan", "collapse", "exploding", "partial_collapse", "saturation")


@dataclass
class Past:
    """What a run's earlier looks leave behind to compare with.

    Attributes:
        looks: how many there were.
        first_loss: mean loss of the first.
        least_loss: least mean loss.
        greatest_gradient: of the first few that had any: where no triplet is active there is none.
        gradients: how many these were.
        greatest_rank: of the embeddings.
    """

    looks: int = 0
    first_loss: float = math.inf
    least_loss: float = math.inf
    greatest_gradient: float = 0.0
    gradients: int = 0
    greatest_rank: float = 0.0

    def add(self, vitals: Vitals) -> None:
        """Remembers a look; one without numbers is no measure of others."""
        if not (math.isfinite(vitals.loss) and math.isfinite(vitals.gradient_norm)):
            return
        self.first_loss = vitals.loss if self.looks == 0 else self.first_loss
        self.least_loss = min(self.least_loss, vitals.loss)
        if vitals.gradient_norm > 0 and self.gradients < FIRST_LOOKS:
            self.greatest_gradient = max(self.greatest_gradient, vitals.gradient_norm)
            self.gradients += 1
        self.greatest_rank = max(self.greatest_rank, vitals.shape.effective_rank if vitals.shape else 0.0)
        self.looks += 1


def shown_by(vitals: Vitals, past: Past, margin: float | None = None) -> str | None:
    """The illness that a look at a batch shows, the gravest one: what is in one point has few dimensions too.

    Args:
        vitals: the look.
        past: the looks before it.
        margin: of the loss, where it is a mean of hinges.
    """
    shape = vitals.shape
    if shape is None or not math.isfinite(vitals.loss) or not math.isfinite(vitals.gradient_norm):
        return "nan"
    if min(shape.spread, vitals.least_spread) < POINT:
        return "collapse"
    if _explodes(vitals, past, margin):
        return "exploding"
    if _lost_dimensions(shape, past):
        return "partial_collapse"
    # A loss that is never 0 goes on teaching without any active triplet.
    return "saturation" if not vitals.active_share and vitals.loss == 0 else None


def shows_gap(training: float, validation: float, margin: float) -> bool:
    """Whether the margin is met in training but not in validation.

    Args:
        training: mean hinge of triplets that nobody chose, of batches since the last validation.
        validation: the same of the validation's.
        margin: theirs.
    """
    return training < MET * margin and validation > MISSED * margin


def inputs_show(inputs: Inputs) -> str | None:
    """The illness that the network's inputs show."""
    return None if inputs.normalized else "inputs"


def _lost_dimensions(shape: Shape, past: Past) -> bool:
    few = shape.effective_rank < min(FEW, FEW_OF_ROOM * shape.room)
    return few and (past.looks >= SETTLED or past.greatest_rank > FALLEN * shape.effective_rank)


def _explodes(vitals: Vitals, past: Past, margin: float | None) -> bool:
    if past.looks == 0:
        return False
    least = min(LEAST_LOSS, LEAST_MARGINS * margin) if margin else LEAST_LOSS
    loss = vitals.loss > max(LOSS_TIMES * past.least_loss, LOSS_TIMES_FIRST * past.first_loss, least)
    return loss or (
        past.gradients == FIRST_LOOKS and vitals.gradient_norm > GRADIENT_TIMES * past.greatest_gradient
    )
