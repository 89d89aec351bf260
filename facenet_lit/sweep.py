"""A sweep's table: a row per job, written anew after each."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from facenet_lit import report
from facenet_lit.composing import one_line
from facenet_lit.metrics.bounds import with_bounds
from facenet_lit.run_folder import ended_by, read_metrics, write_atomically

TABLE = "sweep.csv"

# What a console is wide enough for.
SHOWN = ("val/eer_balanced", "test/eer_balanced", "test/tar", "test/far", "ended_by", "error")

BOUNDED = SHOWN[:2]


class SweepTable(Callback):
    """Writes ``sweep.csv`` into a sweep's folder: a row per job, its overrides and final figures.

    A job that failed has the reason in the column ``error`` and no figures.
    """

    def __init__(self) -> None:
        self.errors: dict[str, str] = {}

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Makes the sweep's folder: a sweeper may keep something there before the first job starts."""
        Path(str(config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Writes the table of the jobs so far: a sweep that is stopped leaves it too."""
        if config.hydra.mode == RunMode.MULTIRUN:
            error = _error_of(job_return)
            if error is not None:
                self.errors[Path(config.hydra.runtime.output_dir).name] = error
            self._write(Path(str(config.hydra.sweep.dir)))

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Prints the table."""
        folder = Path(str(config.hydra.sweep.dir))
        rows = self._write(folder)
        if rows:
            report.show(report.rows_table(shortened(rows), f"{len(rows)} jobs"))
            print(f"all figures in {folder / TABLE}")  # no title, which would be broken at the table's width

    def _write(self, folder: Path) -> list[dict[str, Any]]:
        rows = sweep_rows(folder, self.errors)
        if rows:
            write_atomically(folder / TABLE, sweep_csv(rows))
        return rows


def sweep_rows(folder: Path, errors: Mapping[str, str]) -> list[dict[str, Any]]:
    """A row per job of a sweep's folder, in the order of the jobs.

    Args:
        folder: the sweep's.
        errors: why a job failed, by the name of its folder. What figures that holds are of another run.
    """
    rows = []
    for saved in folder.glob("*/.hydra/overrides.yaml"):
        job = saved.parents[1]
        overrides = dict(
            str(text).lstrip("+").split("=", 1) for text in OmegaConf.load(saved) if "=" in str(text)
        )
        told = {"error": errors[job.name]} if job.name in errors else {**read_metrics(job), **_end_of(job)}
        rows.append({"job": job.name, **overrides, **told})
    return sorted(rows, key=lambda row: (len(row["job"]), row["job"]))


def _end_of(job: Path) -> dict[str, object]:
    """The illness that ended a job, where one did."""
    illness = ended_by(job)
    return {} if illness is None else {"ended_by": illness}


def shortened(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with the overrides that differ between jobs and the main figures alone; two of these have bounds."""
    columns = dict.fromkeys(key for row in rows for key in row)
    told = [key for key in columns if key in SHOWN]
    said = [key for key in columns if "/" not in key and key not in SHOWN]
    differing = [key for key in said if len({str(row.get(key)) for row in rows}) > 1]
    return [{key: _cell(row, key) for key in (*differing, *told) if key in row} for row in rows]


def _cell(row: Mapping[str, Any], key: str) -> Any:
    """What a row says under a key: a figure with its bounds, where it is one that jobs are compared by."""
    return with_bounds(row, key, ".4f") if key in BOUNDED else row[key]


def _error_of(job_return: JobReturn) -> str | None:
    """Why a job failed: a user error is returned as its line, any other is raised when it is looked at."""
    try:
        value = job_return.return_value
    except Exception as error:
        return one_line(error)
    return value if isinstance(value, str) else None


def sweep_csv(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as CSV, a column for each key that any has."""
    file = io.StringIO()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()
