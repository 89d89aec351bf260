"""The verification figures of a part, under the names used everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from facenet_lit.errors import UserError, check_number
from facenet_lit.metrics import rates
from facenet_lit.metrics.operating_points import eer
from facenet_lit.metrics.scored_pairs import ScoredPairs, effective_identities

BALANCED = "_balanced"

HIGH = ("tar", "auc", "accuracy", "impostor_distance", "effective_identities")  # and TAR at every FAR


def far_name(f: float) -> str:
    """A FAR as names of figures write it: 0.01 is ``1e-2``, 0.354 stays ``0.354``."""
    _, digits, exponent = Decimal(repr(float(f))).normalize().as_tuple()
    if digits == (1,) and isinstance(exponent, int) and exponent < 0:
        return f"1e{exponent}"
    return f"{float(f):.17g}" if float(f).is_integer() else repr(float(f)).replace("e-0", "e-")


def tar_at_far_name(f: float) -> str:
    """Name of the figure TAR@FAR=f over pairs; the balanced one ends in ``_balanced``."""
    return f"tar_at_far_{far_name(f)}"


def figures(pairs: ScoredPairs, threshold: float, fars: Sequence[float]) -> dict[str, float | None]:
    """All figures by name, without the part in front (``val/``).

    Args:
        pairs: what to measure on.
        threshold: the fixed distance at which TAR and FAR are given.
        fars: the FARs at which TAR is given.

    Returns:
        Rates and mean distances; None where pairs are missing or a FAR is not resolvable.
    """
    result: dict[str, float | None] = {}
    for ending, balanced in (("", False), (BALANCED, True)):
        equal = eer(pairs, balanced)
        result["tar" + ending] = rates.tar(pairs, threshold, balanced)
        if not balanced:
            result["far"] = rates.far(pairs, threshold)
        for f in fars:
            result[tar_at_far_name(f) + ending] = rates.tar_at_far(pairs, f, balanced)
        result["eer" + ending] = equal.rate if equal else None
        result["auc" + ending] = rates.auc(pairs, balanced)
        result["genuine_distance" + ending] = rates.genuine_distance(pairs, balanced)
    result["impostor_distance"] = rates.impostor_distance(pairs)
    result["effective_identities"] = effective_identities(pairs.genuine_identities)
    return result


def figure_names(fars: Sequence[float]) -> list[str]:
    """The names :func:`figures` gives, in its order."""
    return list(figures(ScoredPairs.of([], [], []), 0.0, fars))


def higher_is_better(name: str) -> bool:
    """Whether a figure, by its name with or without the part in front, should be high."""
    figure = name.split("/")[-1].removesuffix(BALANCED)
    return figure in HIGH or figure.startswith("tar_at_far_")


def check_fars(fars: Sequence[float]) -> tuple[float, ...]:
    """Returns ``fars`` as floats.

    Raises:
        UserError: one is not above 0 and at most 1, or comes twice.
    """
    checked = tuple(check_number("metrics.fars", f, 0.0, 1.0, above=True) for f in fars)
    if len(set(checked)) < len(checked):
        raise UserError(f"metrics.fars={list(checked)}: expected different numbers; take the repeats out")
    return checked
