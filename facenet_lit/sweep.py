"""A sweep's table: a row per job, written when the sweep is done."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from facenet_lit import report
from facenet_lit.run_folder import read_metrics, write_atomically


class SweepTable(Callback):
    """Writes ``sweep.csv`` into a sweep's folder: a row per job, its overrides and final figures."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Collects the jobs' figures, writes and prints the table."""
        folder = Path(str(config.hydra.sweep.dir))
        rows = sweep_rows(folder)
        if rows:
            write_atomically(folder / "sweep.csv", sweep_csv(rows))
            shown = [{k: v for k, v in row.items() if not k.startswith("val/") or "eer" in k} for row in rows]
            report.show(report.rows_table(shown, f"{len(rows)} jobs, all figures in {folder / 'sweep.csv'}"))


def sweep_rows(folder: Path) -> list[dict[str, Any]]:
    """A row per job of a sweep's folder, in the order of the jobs."""
    rows = []
    for saved in folder.glob("*/.hydra/overrides.yaml"):
        job = saved.parents[1]
        overrides = dict(
            str(text).lstrip("+").split("=", 1) for text in OmegaConf.load(saved) if "=" in str(text)
        )
        rows.append({"job": job.name, **overrides, **read_metrics(job)})
    return sorted(rows, key=lambda row: (len(row["job"]), row["job"]))


def sweep_csv(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as CSV, a column for each key that any has."""
    file = io.StringIO()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()
