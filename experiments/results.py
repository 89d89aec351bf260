"""Keeps the results of studies, and makes their tables and pictures.

    python experiments/results.py record NAME SWEEP          # adds the finished runs of a sweep's folder
    python experiments/results.py table [NAME]               # writes its table and picture; without a name all of them
    python experiments/results.py rerun NAME data.root=...   # repeats the run that took least, and compares

Results are experiments/NAME/results.jsonl, a line per run: what was chosen by its overrides, what run.json and
metrics.json say, and its training loss where logger=csv has kept it. The table is experiments/NAME/table.md, with a
line for what was not run; the picture is beside it.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from study_cells import by_cell, cells_of, studies
from study_picture import picture
from study_table import table

from facenet_lit.run_folder import FACTS, write_atomically
from facenet_lit.sweep import sweep_rows

HERE = Path(__file__).resolve().parent
Row = Mapping[str, Any]

# Columns that choose nothing that a study is about: how a run ended, the repetition, the study itself, how it is
# started, and where things lie.
NO_CHOICE = ("ended_by", "seed", "study", "resume", "data.root", "data.lists", "data.cache")
PARTS = ("train/", "val/", "test/")
EVERY = 10  # steps; a loss at so many is enough for a curve


def runs_of(sweep: Path) -> list[dict[str, Any]]:
    """The finished runs of a sweep, each with what it chose, its facts and its figures."""
    runs = []
    for row in sweep_rows(sweep, {}):
        folder = sweep / row["job"]
        figures = {name: value for name, value in row.items() if name.startswith(PARTS)}
        if figures and (folder / FACTS).is_file():
            facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
            runs.append({"choice": _choice(row), **facts, **figures, **_curve(folder / "metrics.csv")})
    return runs


def _choice(row: Row) -> dict[str, Any]:
    """What a job's overrides chose: all of it, as another sweep may be recorded beside this one."""
    said = {name: value for name, value in row.items() if not name.startswith(PARTS) and name != "job"}
    return {
        name: value for name, value in said.items() if name not in NO_CHOICE and not name.startswith("hydra")
    }


def _curve(path: Path) -> dict[str, Any]:
    """The training loss by step, where it was kept."""
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        told = {
            int(row["step"]): float(row["train/loss"])
            for row in csv.DictReader(file)
            if row.get("train/loss")
        }
    steps = [step for number, step in enumerate(told) if number % max(1, len(told) // 60) == 0]
    return {"curve": {"step": steps, "train/loss": [round(told[step], 5) for step in steps]}}


def merged(kept: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """The rows of both; of two of the same config the new one."""
    by_config = {row["config"]: row for row in (*kept, *new)}
    return list(by_config.values())


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


def write(study: str) -> str:
    """Makes a study's table and picture anew; the table."""
    cells = by_cell(read(study), cells_of(study))
    told = table(cells)
    write_atomically(HERE / study / "table.md", told + "\n")
    if any(found for _, found in cells):
        picture(study, cells).savefig(HERE / study / "picture.png")
    return told


def rerun(study: str, overrides: Sequence[str]) -> list[str]:
    """Repeats the run of a study that took the fewest seconds, and says how far its figures are from those kept.

    On the machine that made it, by the same commit, a budget in steps comes to the same to the last digit.

    Args:
        study: its name.
        overrides: where the data are, and whatever else is to be another.
    """
    kept = min(read(study), key=lambda row: row["seconds"])
    # Groups of cells are no settings of training: they come in by "+".
    chosen = [f"{'+' if name == 'cell' else ''}{name}={value}" for name, value in kept["choice"].items()]
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "facenet_lit.train", "--config-dir", str(HERE), f"+study={study}", *chosen,
            f"seed={kept['seed']}", *overrides, f"hydra.run.dir={folder}/0",
        ]  # fmt: skip
        if ended := subprocess.run(command, check=False).returncode:
            sys.exit(ended)
        [again] = runs_of(Path(folder))
    return compared(kept, again)


def compared(kept: Row, again: Row) -> list[str]:
    """A line for each figure of the test people that two runs have: both, and their difference."""
    names = [name for name in kept if name.startswith("test/") and not name.endswith(("_low", "_high"))]
    both = [name for name in names if None not in (kept[name], again.get(name))]
    lines = [f"{name}: {kept[name]:.6g} kept, {again[name]:.6g} now" for name in both]
    largest = max((abs(kept[name] - again[name]) for name in both), default=0.0)
    same = "the same config" if kept["config"] == again["config"] else "another config (or other paths)"
    return [
        *lines,
        f"largest difference {largest:.3g}, {same}, commits {kept['commit'][:7]} and {again['commit'][:7]}",
    ]


def main(arguments: Sequence[str]) -> None:
    """The command line."""
    match arguments:
        case ["record", study, sweep]:
            print(f"{HERE / study / 'results.jsonl'}: {record(study, Path(sweep))} runs")
        case ["table"]:
            for study in studies():
                write(study)
                print(HERE / study / "table.md")
        case ["rerun", study, *_] if not read(study):
            sys.exit(f"{study}: no results yet; record a sweep first")
        case ["table", study]:
            print(write(study))
        case ["rerun", study, *overrides]:
            print("\n".join(rerun(study, overrides)))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
