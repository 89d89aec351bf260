"""The table of a study in Markdown: two lines for each cell, of means over its seeds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
Choice = Mapping[str, str]

SPENT = {
    "steps": "steps", "seconds": "seconds", "images_per_second": "images/s", "parameters": "parameters"
}  # fmt: skip
FIGURES = {"eer": "EER", "accuracy": "accuracy", "tar": "TAR at the threshold", "far": "FAR at it"}
NOT_RUN = "not run"


def table(cells: Sequence[tuple[Choice, Sequence[Row]]]) -> str:
    """Two lines for each cell with results, over pairs and balanced over identities, of its test people.

    A figure is the mean over the seeds, with all of them in brackets, least first, where there are several. A cell
    without results is one line that says so.

    Args:
        cells: the choice of each, and its results.
    """
    rows = [row for _, found in cells for row in found]
    rates = [name.split("/")[1] for name in rows[0] if name.startswith("test/tar_at_far_")] if rows else []
    rates = [name for name in rates if not name.endswith(("_balanced", "_low", "_high"))]
    headings = {**FIGURES, **{name: f"TAR at {name.removeprefix('tar_at_far_')}" for name in rates}}
    told = {
        name: heading
        for name, heading in headings.items()
        if any(row.get(f"test/{name}") is not None for row in rows)
    }
    spent = {
        name: heading for name, heading in SPENT.items() if any(row.get(name) is not None for row in rows)
    }
    ill = any(row.get("health") for row in rows)
    first = [
        "cell",
        "seeds",
        *spent.values(),
        "val EER",
        "test",
        *told.values(),
        *(["health"] if ill else []),
    ]
    lines = [first, ["---"] * len(first)]
    for choice, found in cells:
        label = label_of(choice)
        if not found:
            lines.append([label, "0", NOT_RUN, *[""] * (len(first) - 3)])
            continue
        for ending, kind in (("_balanced", "balanced"), ("", "over pairs")):
            cost = [_told(found, name, "{:,.0f}", all_of_them=False) for name in spent]
            figures = [_told(found, f"test/{name}{ending}") for name in told]
            health = [_illnesses(found)] if ill else []
            lines.append(
                [label, str(len(found)), *cost, _told(found, f"val/eer{ending}"), kind, *figures, *health]
            )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def label_of(choice: Choice) -> str:
    """How a cell is called: its choice; an option of a group of cells by its name alone."""
    if not choice:
        return "as it is"
    return " ".join(
        str(value).rsplit("/", 1)[-1] if name == "cell" else f"{name}={value}"
        for name, value in choice.items()
    )


def _told(rows: Sequence[Row], name: str, form: str = "{:.4f}", all_of_them: bool = True) -> str:
    """Mean of a figure, with the values or their ends; empty where no run has it."""
    values = sorted(row[name] for row in rows if row.get(name) is not None)
    if not values:
        return ""
    mean = form.format(statistics.fmean(values))
    each = [form.format(value) for value in values]
    if len(set(each)) == 1:
        return mean
    return f"{mean} ({', '.join(each)})" if all_of_them else f"{mean} ({each[0]} to {each[-1]})"


def _illnesses(rows: Sequence[Row]) -> str:
    """What embedding health told of first in each run, with its step."""
    found = [row["health"][0].split(":")[0] if row.get("health") else "silent" for row in rows]
    return found[0] if len(set(found)) == 1 else ", ".join(found)
