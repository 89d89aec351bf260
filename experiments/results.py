"""Keeps the results of studies, and makes their tables and pictures.

    python experiments/results.py record NAME SWEEP          # adds the runs of a sweep's folder that are over
    python experiments/results.py table [NAME]               # writes its table and picture; without a name all of them
    python experiments/results.py cost                       # what the studies took, each and together
    python experiments/results.py rerun NAME data.root=...   # repeats the run that the table marks, and compares

Results are experiments/NAME/results.jsonl, a line per run: what was chosen by its overrides, what run.json,
metrics.json and origin.json say, and its loss on the way where logger=csv has kept it. The table is
experiments/NAME/table.md, with a line for what was not run; the picture is beside it.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from study_cells import Key, Row, by_cell, cells_of, composed, key, overrides_of, studies
from study_picture import picture
from study_table import cost_line, folds_line, origin_table, table

from facenet_lit.run_folder import is_over, read_facts, write_atomically
from facenet_lit.sweep import sweep_rows

HERE = Path(__file__).resolve().parent

# Columns that choose nothing that a study is about: how a run ended, the repetition, the study itself, how it is
# started, and where things lie. Not data.lists: they may be of other people.
NO_CHOICE = ("job", "ended_by", "error", "seed", "study", "resume", "data.root", "data.cache")
PARTS = ("train/", "val/", "test/", "val_best/")
LOSS = "health/unmined_loss"  # over all triplets of a batch, whatever is minimised: comes to the margin in one point
POINTS = 60
JUDGED = "test/eer_balanced"


def runs_of(sweep: Path) -> list[dict[str, Any]]:
    """The runs of a sweep that are over, each with what it chose, its facts and its figures, if there are any."""
    runs = []
    for row in sweep_rows(sweep, {}):
        folder = sweep / row["job"]
        if is_over(folder):
            figures = {name: value for name, value in row.items() if name.startswith(PARTS)}
            facts = read_facts(folder)
            runs.append({"choice": _choice(row), **facts, **figures, **_origin(folder), **_curve(folder)})
    return runs


def _choice(row: Row) -> dict[str, str]:
    """What a job's overrides chose: all of it, as another sweep may be recorded beside this one."""
    said = {name: value for name, value in row.items() if not name.startswith(PARTS)}
    return {
        name: value for name, value in said.items() if name not in NO_CHOICE and not name.startswith("hydra")
    }


def _origin(folder: Path) -> dict[str, float]:
    """The rates of origin.py, where it has told any."""
    path = folder / "origin.json"
    told = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {f"origin/{part}/{name}": value for part, rates in told.items() for name, value in rates.items()}


def _curve(folder: Path) -> dict[str, Any]:
    """The loss by step, where it was kept."""
    path = folder / "metrics.csv"
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        told = {int(row["step"]): float(row[LOSS]) for row in csv.DictReader(file) if row.get(LOSS)}
    steps = list(told)
    steps = [*steps[: -1 : max(1, len(steps) // POINTS)], *steps[-1:]]
    # None where it is no number, which JSON has no word for.
    return {"curve": {"step": steps, "loss": [_number(told[step]) for step in steps]}}


def _number(value: float) -> float | None:
    return round(value, 5) if abs(value) < float("inf") else None


def merged(kept: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """The rows of both; of two of one choice and seed the new one: settings of now are told, not those before."""
    return list({(key(row["choice"]), row["seed"]): row for row in (*kept, *new)}.values())


def read(study: str, place: Path | None = None) -> list[Row]:
    """The rows of a study, none where there are none yet."""
    path = (place or HERE) / study / "results.jsonl"
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []
    )


def record(study: str, sweep: Path, place: Path | None = None) -> int:
    """Adds a sweep's runs to a study's results; how many there are now."""
    rows = merged(read(study, place), runs_of(sweep))
    lines = [json.dumps(row, allow_nan=False) + "\n" for row in rows]
    write_atomically((place or HERE) / study / "results.jsonl", "".join(lines))
    return len(rows)


def cheapest(study: str, rows: Sequence[Row]) -> Row | None:
    """The run that a rerun repeats: of those whose budget is in steps alone, the one that took least."""
    scored = sorted((row for row in rows if row.get(JUDGED) is not None), key=lambda row: row["seconds"])
    shortest: dict[Key, Row] = {}
    for row in scored:
        shortest.setdefault(key(row["choice"]), row)  # what is composed is the choice, not every seed of it
    in_steps = (row for row in shortest.values() if composed(study, row["choice"]).trainer.minutes is None)
    return next(in_steps, None)


def tables(study: str, rows: Sequence[Row]) -> str:
    """A study's table, that of the rates over drawn triplets where they were told, and what all of it cost."""
    cells = by_cell(rows, cells_of(study))
    parts = [table(cells, cheapest(study, rows)), origin_table(cells), folds_line(cells), cost_line(rows)]
    return "\n\n".join(filter(None, parts))


def write(study: str) -> str:
    """Makes a study's table and picture anew; the table."""
    rows = read(study)
    told = tables(study, rows)
    write_atomically(HERE / study / "table.md", told + "\n")
    if rows:
        partial = HERE / study / ".picture.png"
        picture(study, by_cell(rows, cells_of(study))).savefig(partial)
        partial.replace(HERE / study / "picture.png")
    return told


def rerun(study: str, overrides: Sequence[str]) -> tuple[list[str], bool]:
    """Repeats the run that the table marks: a line for each figure, and whether the two agree.

    On the machine that made it, by the same commit, it comes to the same to the last digit.

    Args:
        study: its name.
        overrides: where the data are, and whatever else is to be another.
    """
    kept = cheapest(study, read(study))
    if kept is None:
        sys.exit(
            f"{study}: no run of a budget in steps is kept, and of no other can be said to what it should come"
        )
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "facenet_lit.train", "--config-dir", str(HERE), f"+study={study}",
            *overrides_of(kept["choice"]), f"seed={kept['seed']}", f"trainer.precision={kept['precision']}", *overrides,
            f"hydra.run.dir={folder}/0",
        ]  # fmt: skip
        threads = {"OMP_NUM_THREADS": str(kept["threads"])}
        if ended := subprocess.run(command, check=False, env={**os.environ, **threads}).returncode:
            sys.exit(ended)
        [again] = runs_of(Path(folder))
    return compared(kept, again)


def compared(kept: Row, again: Row) -> tuple[list[str], bool]:
    """A line for each figure of the test people that two runs have, and whether they agree.

    They do where the balanced EER of the second lies within the bounds of the first.
    """
    names = [name for name in kept if name.startswith("test/") and not name.endswith(("_low", "_high"))]
    both = [name for name in names if None not in (kept[name], again.get(name))]
    lines = [f"{name}: {kept[name]:.6g} kept, {again[name]:.6g} now" for name in both]
    largest = max((abs(kept[name] - again[name]) for name in both), default=0.0)
    low, high = kept[JUDGED + "_low"], kept[JUDGED + "_high"]
    agree = low <= again[JUDGED] <= high
    verdict = f"{JUDGED} lies {'within' if agree else 'outside'} its bounds of [{low:.4f}, {high:.4f}]"
    commits = f"commits {str(kept['commit'])[:7]} and {str(again['commit'])[:7]}"
    return [*lines, f"largest difference {largest:.3g}; {verdict}; {commits}"], agree


def main(arguments: Sequence[str]) -> None:
    """The command line."""
    match arguments:
        case ["record", study, sweep]:
            print(f"{HERE / study / 'results.jsonl'}: {record(study, Path(sweep))} runs")
        case ["table"]:
            for study in studies():
                write(study)
                print(HERE / study / "table.md")
        case ["table", study]:
            print(write(study))
        case ["cost"]:
            kept = {study: read(study) for study in studies()}
            for study, rows in kept.items():
                print(f"{study}: {cost_line(rows) or 'not run'}")
            print(f"together: {cost_line([row for rows in kept.values() for row in rows]) or 'not run'}")
        case ["rerun", study, *overrides]:
            lines, agree = rerun(study, overrides)
            print("\n".join(lines))
            sys.exit(not agree)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
