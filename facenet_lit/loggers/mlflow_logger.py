"""A run in MLflow, in an SQLite file unless a server is named."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from facenet_lit.loggers.dashboard import ENDED_BY, Dashboard, Settings
from facenet_lit.preprocessing import Picture

FOLDER = "folder"  # the tag that a resumed run is found by
SQLITE = "sqlite:///"
STATES = {"success": "FINISHED", "failed": "FAILED"}  # by Lightning's words


class RunMlflowLogger(Logger, Dashboard):
    """Files a run under an experiment; nothing is written before there is something to write.

    A resumed run goes on in its row, found by its folder: points and pictures that are there are not written twice.

    Args:
        save_dir: the run's folder.
        purge_step: one more than the step that a resumed run goes on from; 0 or None for a new run.
        uri: an SQLite file, beside which a folder of the same name holds the pictures, or a server's address.
        experiment: what it is filed under.
    """

    needs = "mlflow"

    def __init__(
        self,
        save_dir: str,
        purge_step: int | None = None,
        uri: str = f"{SQLITE}runs/mlflow.db",
        experiment: str = "facenet_lit",
    ) -> None:
        super().__init__()
        self._folder = Path(save_dir)
        self._resumed = bool(purge_step)
        self._uri = uri
        self._experiment = experiment
        self._known: dict[str, int] = {}  # by scalar, up to which step it is there

    @property
    def name(self) -> str:
        """The experiment."""
        return self._experiment

    @property
    def version(self) -> str:
        """The run's own folder."""
        return self._folder.name

    @cached_property
    def client(self) -> Any:
        """MLflow's client."""
        from mlflow import MlflowClient

        if self._uri.startswith(SQLITE):
            Path(self._uri.removeprefix(SQLITE)).parent.mkdir(parents=True, exist_ok=True)
        return MlflowClient(self._uri)

    @cached_property
    def run_id(self) -> str:
        """Of the run there, which is begun where it isn't found."""
        found = self.client.get_experiment_by_name(self._experiment)
        experiment = found.experiment_id if found else self._new_experiment()
        folder = str(self._folder.resolve())
        if self._resumed:
            runs = self.client.search_runs([experiment], f"tags.{FOLDER} = '{folder}'", max_results=1)
            if runs:
                return self._go_on(runs[0])
        name = "/".join(self._folder.parts[-2:])
        return str(self.client.create_run(experiment, tags={FOLDER: folder}, run_name=name).info.run_id)

    @rank_zero_only
    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """They come as a row."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Writes scalars at a step."""
        from mlflow.entities import Metric

        run, now, at = self.run_id, int(time.time() * 1000), step or 0
        kept = [
            Metric(name, float(value), now, at)
            for name, value in metrics.items()
            # SQLite has no NaN in a primary key.
            if name != "epoch" and self._known.get(name, -1) < at and not math.isnan(value)
        ]
        if kept:
            self.client.log_batch(run, metrics=kept)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Tells how the run ended."""
        if "run_id" in self.__dict__:
            self.client.set_terminated(self.run_id, STATES.get(status, "FINISHED"))

    def show_picture(self, name: str, picture: Picture, step: int) -> None:
        """See :class:`Dashboard`; they are the run's artifacts."""
        self.client.log_image(self.run_id, picture, f"{name}-{step:06d}.png")

    def show_text(self, name: str, text: str, step: int = 0) -> None:
        """See :class:`Dashboard`; an artifact."""
        self.client.log_text(self.run_id, text, f"{name}-{step:06d}.md")

    def begin_row(self, settings: Settings, figures: Sequence[str]) -> None:
        """See :class:`Dashboard`; every scalar is a column there."""
        from mlflow.entities import Param

        params = [Param(name, str(value)) for name, value in settings.values.items()]
        self.client.log_batch(self.run_id, params=params)

    def end_row(self, settings: Settings, ended_by: str | None = None) -> None:
        """See :class:`Dashboard`; how it ended is a tag."""
        if ended_by is not None:
            self.client.set_tag(self.run_id, ENDED_BY, ended_by)
        self.finalize("success" if ended_by is None else "failed")

    def _new_experiment(self) -> str:
        place = None
        if self._uri.startswith(SQLITE):
            place = Path(self._uri.removeprefix(SQLITE)).with_suffix("").resolve().as_uri()
        return str(self.client.create_experiment(self._experiment, artifact_location=place))

    def _go_on(self, run: Any) -> str:
        run_id = str(run.info.run_id)
        for name in run.data.metrics:
            self._known[name] = max(point.step for point in self.client.get_metric_history(run_id, name))
        return run_id
