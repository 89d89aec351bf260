"""A run as plain files: its scalars in metrics.csv, its pictures as PNG."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from facenet_lit.loggers.dashboard import Dashboard, Settings
from facenet_lit.png_file import write_png
from facenet_lit.preprocessing import Picture
from facenet_lit.run_folder import write_atomically

TABLE = "metrics.csv"
PICTURES = "pictures"

Row = dict[str, float | str]


class RunCsvLogger(Logger, Dashboard):
    """Writes a row per step and a column per scalar, and pictures such as ``pictures/val/roc-000100.png``.

    Settings and final figures lie beside that as config.yaml and metrics.json, messages in train.log, so it
    writes no text and no row of settings.

    Args:
        save_dir: the run's folder.
        purge_step: what an earlier process wrote at this step and beyond is dropped; None drops nothing.
    """

    def __init__(self, save_dir: str, purge_step: int | None = None) -> None:
        super().__init__()
        self._folder = Path(save_dir)
        self._purge_step = purge_step
        self._rows: dict[int, Row] | None = None  # by step; None until there is a scalar
        self._columns: list[str] = []  # as they are written
        self._last = -1  # the greatest step that is written
        self._unwritten: set[int] = set()

    @property
    def name(self) -> str:
        """None: the run's folder has one."""
        return ""

    @property
    def version(self) -> str:
        """None."""
        return ""

    @property
    def save_dir(self) -> str:
        """The run's folder."""
        return str(self._folder)

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """They are in config.yaml."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Adds scalars to the row of a step; those of a validation, with all before, are written at once."""
        if self._rows is None:
            self._rows = self._kept()
        self._rows.setdefault(step or 0, {}).update({k: v for k, v in metrics.items() if k != "epoch"})
        self._unwritten.add(step or 0)
        if any(name.startswith("val/") for name in metrics):
            self.save()

    @rank_zero_only
    def save(self) -> None:
        """Writes what is not written yet."""
        if self._rows is None or not self._unwritten:
            return
        columns = sorted({name for row in self._rows.values() for name in row})
        if columns == self._columns and min(self._unwritten) > self._last:
            with open(self._folder / TABLE, "a", encoding="utf-8") as file:
                file.write(_lines(self._rows, self._unwritten, columns))
        else:
            head = ",".join(["step", *columns]) + "\n"
            write_atomically(self._folder / TABLE, head + _lines(self._rows, self._rows, columns))
        self._columns, self._last = columns, max(self._rows)
        self._unwritten.clear()

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Writes the rest."""
        self.save()

    def show_picture(self, name: str, picture: Picture, step: int) -> None:
        """See :class:`Dashboard`."""
        write_png(self._folder / PICTURES / f"{name}-{step:06d}.png", picture)

    def show_text(self, name: str, text: str, step: int = 0) -> None:
        """It is in config.yaml or train.log."""

    def begin_row(self, settings: Settings, figures: Sequence[str]) -> None:
        """It is config.yaml."""

    def end_row(self, settings: Settings, ended_by: str | None = None) -> None:
        """It is metrics.json, and run.json."""

    def _kept(self) -> dict[int, Row]:
        """What an earlier process wrote and is not done again."""
        path = self._folder / TABLE
        if self._purge_step == 0 or not path.is_file():
            return {}
        text = path.read_text(encoding="utf-8")
        whole = io.StringIO(text[: text.rfind("\n") + 1])  # a killed process may have left part of a line
        rows = {int(row.pop("step")): row for row in csv.DictReader(whole)}
        kept = [step for step in rows if self._purge_step is None or step < self._purge_step]
        return {step: {name: value for name, value in rows[step].items() if value} for step in kept}


def _lines(rows: Mapping[int, Row], steps: Iterable[int], columns: Sequence[str]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, ["step", *columns], lineterminator="\n")
    writer.writerows({"step": step, **rows[step]} for step in sorted(steps) if rows[step])
    return file.getvalue()
