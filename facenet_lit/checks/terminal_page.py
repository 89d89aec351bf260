"""The page in the terminal: a line or a few for each check, 100 columns at most."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from facenet_lit.checks.finding import Cells, Finding, Verdict, is_number, tally, worst

_STYLES = {Verdict.OK: "green", Verdict.LOOK: "bold yellow", Verdict.STOP: "bold red"}
_WIDTH = 83  # of what is said, so that all is 100


def terminal_page(title: str, findings: Sequence[Finding]) -> Table:
    """The page, to be printed.

    Args:
        title: what was looked at.
        findings: in the order in which they are told.
    """
    page = Table.grid(padding=(0, 2))
    page.add_column(width=4)
    page.add_column(width=8)
    page.add_column(max_width=_WIDTH)
    page.add_row("", "doctor", Padding(Text(title), (0, 0, 1, 0)))
    for finding in findings:
        page.add_row(_verdict(finding.verdict), finding.name, Padding(_body(finding), (0, 0, 1, 0)))
    page.add_row(_verdict(worst(findings)), "in all", Text(f"{tally(findings)}. {closing(findings)}"))
    return page


def closing(findings: Sequence[Finding]) -> str:
    """What to do with it all, in a sentence."""
    return {
        Verdict.OK: "Nothing speaks against a long run.",
        Verdict.LOOK: "Nothing forbids a long run; read what is marked first.",
        Verdict.STOP: "Mend what is marked stop before a long run.",
    }[worst(findings)]


def _body(finding: Finding) -> RenderableType:
    parts: list[RenderableType] = [Text(finding.said)]
    if finding.table:
        parts.append(_grid(finding.table))
    if finding.advice:
        parts.append(Text(f"-> {finding.advice}", style=_STYLES[finding.verdict]))
    return Group(*parts)


def _grid(table: Sequence[Cells]) -> Table:
    """Cells in columns, numbers to the right."""
    grid = Table.grid(padding=(0, 2))
    for cell in table[-1]:
        grid.add_column(justify="right" if is_number(cell) else "left", no_wrap=True)
    for row, cells in enumerate(table):
        grid.add_row(*(Text(cell, style="dim" if row == 0 else "") for cell in cells))
    return grid


def _verdict(verdict: Verdict) -> Text:
    return Text(str(verdict), style=_STYLES[verdict])
