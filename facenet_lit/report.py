"""Tables for the console."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from facenet_lit.metrics.bounds import with_bounds, without_bounds
from facenet_lit.metrics.figures import BALANCED


def figures_table(figures: Mapping[str, float | None], title: str) -> Table:
    """Figures side by side: over pairs and balanced, a column for each part; in brackets their bounds.

    Args:
        figures: values by name, ``part/name``, balanced ones ending in ``_balanced``, their bounds behind that in
            ``_low`` and ``_high``.
        title: what they are of.
    """
    told = [name for name in figures if without_bounds(name) == name]
    parts = list(dict.fromkeys(name.split("/")[0] for name in told))
    names = list(dict.fromkeys(name.split("/", 1)[1].removesuffix(BALANCED) for name in told))
    table = Table(title=title, title_justify="left", title_style="bold", header_style="")
    table.add_column("figure")
    for part in parts:
        table.add_column(part, justify="right")
        table.add_column(f"{part}, balanced", justify="right")
    for name in names:
        cells = [_cell(figures, f"{part}/{name}{ending}") for part in parts for ending in ("", BALANCED)]
        table.add_row(name, *cells)
    return table


def rows_table(rows: Sequence[Mapping[str, object]], title: str) -> Table:
    """A row for each mapping, a column for each key that any has."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="")
    columns = list(dict.fromkeys(key for row in rows for key in row))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_text(row.get(column, "")) for column in columns))
    return table


def show(table: Table) -> None:
    """Prints a table to standard output, never narrower than 125 columns."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, 125))
    title, table.title = table.title, None
    if title:  # which is broken at the table's width else, amid a path
        console.print(str(title), style="bold", soft_wrap=True, markup=False, highlight=False)
    console.print(table)


def _cell(figures: Mapping[str, float | None], name: str) -> str:
    return with_bounds(figures, name, ".4f") if name in figures else ""


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
