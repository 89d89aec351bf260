"""What a check says: a verdict, what it found, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

NAMED = 3  # so many examples in a line

Cells = tuple[str, ...]


class Verdict(IntEnum):
    """How it stands, the worse the greater."""

    OK = 0
    LOOK = 1  # the run will go, and its figures may not be what you think
    STOP = 2  # mend this first

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Finding:
    """A check's part of the page.

    Attributes:
        name: what was looked at.
        verdict: how it stands.
        said: what was found, in a sentence or two.
        advice: the next thing to do; "" where nothing is.
        table: rows of cells, the heads first; none where there is nothing to line up.
    """

    name: str
    verdict: Verdict
    said: str
    advice: str = ""
    table: Sequence[Cells] = ()


def is_number(cell: str) -> bool:
    """Whether a cell stands to the right: a number, or that there is none."""
    return cell[:1].isdigit() or cell[:1] == "-"


def looked(name: str, said: str, advice: str, table: Sequence[Cells] = ()) -> Finding:
    """A finding that is ``ok`` without an advice, and ``look`` with one."""
    return Finding(name, Verdict.LOOK if advice else Verdict.OK, said, advice, table)


def worst(findings: Iterable[Finding]) -> Verdict:
    """The worst verdict; ``ok`` of none."""
    return max((finding.verdict for finding in findings), default=Verdict.OK)


def tally(findings: Sequence[Finding]) -> str:
    """How many there are of each verdict, the worst first: ``1 stop, 2 look, 6 ok``."""
    counts = {verdict: sum(f.verdict == verdict for f in findings) for verdict in reversed(Verdict)}
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
