"""Which FARs so many impostor pairs can show."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal

from facenet_lit.errors import UserError

COARSE = 10  # impostor pairs a FAR should allow at least


def resolution(f: float, impostor_count: int) -> Literal["unresolvable", "coarse", "fine"]:
    """How well a FAR of ``f`` shows on so many impostor pairs: not below 1 accepted pair, coarsely below 10.

    Raises:
        UserError: ``f`` is not above 0 and at most 1.
    """
    allowed = math.floor(exact_far(f) * impostor_count)
    return "unresolvable" if allowed < 1 else "coarse" if allowed < COARSE else "fine"


def is_resolvable(f: float, impostor_count: int) -> bool:
    """Whether ``f`` times the impostor pairs is at least 1; see :func:`resolution`."""
    return resolution(f, impostor_count) != "unresolvable"


def exact_far(f: float) -> Fraction:
    """The decimal number ``f`` is written as: in floats 0.29 * 100 falls short of 29.

    Raises:
        UserError: ``f`` is not above 0 and at most 1.
    """
    if not 0 < f <= 1:
        raise UserError(f"metrics.fars: {f} is not a rate: expected numbers above 0 and at most 1")
    return Fraction(repr(float(f)))
