"""The table of a study in Markdown: two lines for each cell, of means over its seeds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from study_cells import CELL, Choice, Row

from facenet_lit.data.splits import FOLDS
from facenet_lit.metrics.fold_accuracy import mean_and_standard_error

SPENT = {
    "steps": "steps", "seconds": "seconds", "images_per_second": "images/s", "parameters": "parameters"
}  # fmt: skip
FIGURES = {
    "loss": "loss", "eer": "EER", "accuracy": "accuracy", "tar": "TAR at the threshold", "far": "FAR at it"
}  # fmt: skip
ORIGIN = {"tar": "TAR at the threshold", "far": "FAR at it", "tar_at_far_0.354": "TAR at 0.354"}
JUDGED = "eer"  # the figure whose bounds are told
FOLD, OF_A_FOLD = "data.fold", "test/accuracy"
NOT_RUN = "not run"
MARK = " *"


def table(cells: Sequence[tuple[Choice, Sequence[Row]]], marked: Row | None = None) -> str:
    """Two lines for each cell with results, over pairs and balanced over identities, of its test people.

    A figure is the mean over the seeds, with all of them in brackets, least first, where there are several; bounds are
    the means of theirs. A cell without results is one line that says so, and so is one whose runs have no figures.

    Args:
        cells: the choice of each, and its results.
        marked: the run that a rerun repeats; its cell has a star.
    """
    rows = [row for _, found in cells for row in found]
    rates = [name.split("/")[1] for row in rows for name in row if name.startswith("test/tar_at_far_")]
    rates = [name for name in dict.fromkeys(rates) if not name.endswith(("_balanced", "_low", "_high"))]
    headings = {**FIGURES, **{name: f"TAR at {name.removeprefix('tar_at_far_')}" for name in rates}}
    told = {name: heading for name, heading in headings.items() if _any(rows, f"test/{name}")}
    spent = {name: heading for name, heading in SPENT.items() if _any(rows, name)}
    ill = any(row.get("health") for row in rows)
    figures = [part for name, heading in told.items() for part in _headings(name, heading)]
    first = ["cell", "seeds", *spent.values(), "val EER", "test", *figures, *(["health"] if ill else [])]
    lines = [first, ["---"] * len(first)]
    for choice, found in cells:
        label = label_of(choice) + (MARK if any(row is marked for row in found) else "")
        if not any(row.get(f"test/{JUDGED}") is not None for row in found):
            said = f"no figures: {_illnesses(found)}" if found else NOT_RUN
            lines.append([label, str(len(found)), said, *[""] * (len(first) - 3)])
            continue
        cost = [_told(found, name, "{:,.0f}", all_of_them=False) for name in spent]
        more = [_illnesses(found)] if ill else []
        for ending, kind in (("_balanced", "balanced"), ("", "over pairs")):
            shown = [part for name in told for part in _figure(found, name, ending)]
            lines.append(
                [label, str(len(found)), *cost, _told(found, f"val/eer{ending}"), kind, *shown, *more]
            )
    return _markdown(lines)


def origin_table(cells: Sequence[tuple[Choice, Sequence[Row]]]) -> str | None:
    """What origin.py told of the runs, a line for each cell and part; None where it told nothing."""
    rows = [row for _, found in cells for row in found]
    parts = [part for part in ("val", "test") if _any(rows, f"origin/{part}/tar")]
    if not parts:
        return None
    lines = [["cell", "over", *ORIGIN.values()], ["---"] * (2 + len(ORIGIN))]
    for choice, found in cells:
        for part in parts:
            if _any(found, f"origin/{part}/tar"):
                triplets = _told(found, f"origin/{part}/triplets", "{:,.0f}")
                told = [_told(found, f"origin/{part}/{name}") for name in ORIGIN]
                lines.append([label_of(choice), f"{triplets} triplets of {part}", *told])
    return _markdown(lines)


def folds_line(cells: Sequence[tuple[Choice, Sequence[Row]]]) -> str | None:
    """The mean accuracy of the folds that were run, and its standard error; None of a study without folds."""
    told = [
        statistics.fmean(values)
        for choice, found in cells
        if set(choice) == {FOLD}
        and (values := [row[OF_A_FOLD] for row in found if row.get(OF_A_FOLD) is not None])
    ]
    if not told:
        return None
    if len(told) == 1:
        return f"1 of {FOLDS} folds: accuracy {told[0]:.4f}."
    mean, error = mean_and_standard_error(told)
    return f"{len(told)} of {FOLDS} folds: mean accuracy {mean:.4f}, standard error {error:.4f}."


def cost_line(rows: Sequence[Row]) -> str | None:
    """How long the runs trained in all, and on what; None where there are none."""
    if not rows:
        return None
    machines = dict.fromkeys(
        row.get("gpu") or f"{row.get('threads')} of {row.get('cores')} cores of {row.get('processor')}"
        for row in rows
    )
    hours = sum(row.get("seconds", 0) for row in rows) / 3600  # what failed at its first step has none
    runs = f"{len(rows)} run{'s' if len(rows) > 1 else ''}"
    return f"{runs}, {hours:.1f} hours of training in all, on {' or '.join(machines)}."


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def label_of(choice: Choice) -> str:
    """How a cell is called: its choice; an option of a group of cells by its name alone."""
    if not choice:
        return "as it is"
    return " ".join(
        str(value).rsplit("/", 1)[-1] if name == CELL else f"{name}={value}" for name, value in choice.items()
    )


def _any(rows: Sequence[Row], name: str) -> bool:
    return any(row.get(name) is not None for row in rows)


def _headings(name: str, heading: str) -> list[str]:
    return [heading, "95% bounds of a run"] if name == JUDGED else [heading]


def _figure(rows: Sequence[Row], name: str, ending: str) -> list[str]:
    """A figure's cell, and that of its bounds where they are told."""
    full = f"test/{name}{ending}"
    if name != JUDGED:
        return [_told(rows, full)]
    ends = [[row[full + end] for row in rows if row.get(full + end) is not None] for end in ("_low", "_high")]
    bounds = f"{statistics.fmean(ends[0]):.4f} to {statistics.fmean(ends[1]):.4f}" if all(ends) else ""
    return [_told(rows, full), bounds]


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
    """What embedding health told of in each run, with its steps."""
    found = [", ".join(title.split(":")[0] for title in row.get("health") or ["silent"]) for row in rows]
    return found[0] if len(set(found)) == 1 else "; ".join(found)
