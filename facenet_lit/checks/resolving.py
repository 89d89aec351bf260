"""Which FARs the validation and test parts can show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from facenet_lit.checks.finding import Cells, Finding, Verdict
from facenet_lit.metrics.resolution import COARSE, exact_far, resolution

_SHOWN_AS = {"unresolvable": "too few", "coarse": "coarse", "fine": "ok"}


def check_fars(impostors: Mapping[str, int], fars: Sequence[float], refusal: str | None = None) -> Finding:
    """Whether the parts have impostor pairs enough.

    A FAR is resolvable where it allows one accepted impostor pair or more, and coarse below ten.

    Args:
        impostors: impostor pairs of each part that is scored.
        fars: at which TAR is told.
        refusal: why training would refuse them, or None.
    """
    part, count = min(impostors.items(), key=lambda item: item[1])
    least = f"the least FAR that {part} shows is {1 / count:.1g}" if count else f"{part} shows no FAR"
    said = f"Over pairs {least}. A FAR that allows fewer than {COARSE} accepted impostor pairs is coarse."
    states = {resolution(far, count) for far in fars for count in impostors.values()}
    table = _table(impostors, fars)
    if refusal is not None:
        return Finding("FARs", Verdict.STOP, said, refusal, table)
    if states <= {"fine"}:
        return Finding("FARs", Verdict.OK, said, "", table)
    gone = "those that are too few are left out, " if "unresolvable" in states else ""
    advice = f"{gone}coarse ones hang on a few pairs: use more images, or larger FARs in metrics.fars"
    return Finding("FARs", Verdict.LOOK, said, advice, table)


def _table(impostors: Mapping[str, int], fars: Sequence[float]) -> list[Cells]:
    counts = ("impostor pairs", *(f"{count:,}" for count in impostors.values()))
    rows = [(f"FAR {far:g} allows", *(_cell(far, count) for count in impostors.values())) for far in fars]
    return [("", *impostors), counts, *rows]


def _cell(far: float, count: int) -> str:
    return f"{math.floor(exact_far(far) * count):,} ({_SHOWN_AS[resolution(far, count)]})"
