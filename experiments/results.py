"""Keeps the results of a study, and makes its table of them.

    python experiments/results.py record NAME SWEEP     # adds the finished runs of a sweep's folder
    python experiments/results.py table NAME            # prints the table, and writes it

Results are experiments/NAME/results.jsonl, a line per run: what was chosen by its overrides, what run.json and
metrics.json say. The table is experiments/NAME/table.md: medians over the seeds, least and largest in brackets, a
line for each choice, told by what differs between them.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facenet_lit.run_folder import FACTS, write_atomically
from facenet_lit.sweep import shortened, sweep_rows

HERE = Path(__file__).resolve().parent
Row = Mapping[str, Any]

# Columns of the table beside the TAR@FARs: a figure, and its heading.
SPENT = {
    "steps": "steps", "seconds": "seconds", "images_per_second": "images/s", "parameters": "parameters"
}  # fmt: skip
FIGURES = {"eer": "EER", "accuracy": "accuracy"}

# Columns that choose nothing that a study is about: how a run ended, the repetition, the study itself, how it is
# started, and where things lie.
NO_CHOICE = ("ended_by", "seed", "study", "resume", "data.root", "data.lists", "data.cache")


def runs_of(sweep: Path) -> list[dict[str, Any]]:
    """The finished runs of a sweep, each with what it chose, its facts and its figures."""
    runs = []
    for row in sweep_rows(sweep, {}):
        facts = sweep / row["job"] / FACTS
        figures = {name: value for name, value in row.items() if name.startswith(("val/", "test/"))}
        if figures and facts.is_file():
            runs.append({"choice": _choice(row), **json.loads(facts.read_text(encoding="utf-8")), **figures})
    return runs


def _choice(row: Row) -> dict[str, Any]:
    """What a job's overrides chose: all of it, as another sweep may be recorded beside this one."""
    said = {name: value for name, value in row.items() if "/" not in name and name != "job"}
    return {
        name: value for name, value in said.items() if name not in NO_CHOICE and not name.startswith("hydra.")
    }


def merged(kept: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """The rows of both; of two of the same config the new one."""
    by_config = {row["config"]: row for row in (*kept, *new)}
    return list(by_config.values())


def table(rows: Sequence[Row]) -> str:
    """Medians over the seeds in Markdown, a line per choice, over pairs and balanced."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row, differing in zip(rows, shortened([row["choice"] for row in rows]), strict=True):
        groups[" ".join(f"{name}={value}" for name, value in differing.items())].append(row)
    parts = [part for part in ("val", "test") if any(name.startswith(part) for name in rows[0])]
    rates = [name.split("/")[1] for name in rows[0] if name.startswith("val/tar_at_far_")]
    rates = [name for name in rates if not name.endswith("_balanced")]
    headings = {**FIGURES, **{name: f"TAR at {name.removeprefix('tar_at_far_')}" for name in rates}}
    lines = [["choice", "seeds", *SPENT.values(), "part", "rates", *headings.values()]]
    for choice, group in groups.items():
        for part in parts:
            for ending, kind in (("", "over pairs"), ("_balanced", "balanced")):
                told = [_told(group, f"{part}/{name}{ending}") for name in headings]
                spent = [_told(group, name, "{:,.0f}") for name in SPENT]
                lines.append([choice, str(len(group)), *spent, part, kind, *told])
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], ["---"] * len(lines[0]), *lines[1:]))


def _told(rows: Sequence[Row], name: str, form: str = "{:.4f}") -> str:
    """Median, least and largest of a figure; empty where no run has it."""
    values = [row[name] for row in rows if row.get(name) is not None]
    if not values:
        return ""
    middle = form.format(statistics.median(values))
    low, high = form.format(min(values)), form.format(max(values))
    return middle if low == high else f"{middle} ({low} to {high})"


def read(study: str, place: Path | None = None) -> list[Row]:
    """The rows of a study, none where there are none yet."""
    path = (place or HERE) / study / "results.jsonl"
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []
    )


def record(study: str, sweep: Path, place: Path | None = None) -> int:
    """Adds a sweep's finished runs to a study's results; how many there are now."""
    rows = merged(read(study, place), runs_of(sweep))
    write_atomically(
        (place or HERE) / study / "results.jsonl", "".join(json.dumps(row) + "\n" for row in rows)
    )
    return len(rows)


def main(arguments: Sequence[str]) -> None:
    """The command line."""
    match arguments:
        case ["record", study, sweep]:
            print(f"{HERE / study / 'results.jsonl'}: {record(study, Path(sweep))} runs")
        case ["table", study]:
            rows = read(study)
            if not rows:
                sys.exit(f"{study}: no results yet; record a sweep first")
            write_atomically(HERE / study / "table.md", table(rows) + "\n")
            print(table(rows))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
