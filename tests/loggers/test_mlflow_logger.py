from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facenet_lit.loggers.dashboard import Settings
from facenet_lit.loggers.mlflow_logger import RunMlflowLogger

mlflow = pytest.importorskip("mlflow")


def runs(uri: str) -> list[Any]:
    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name("mine")
    return list(client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"]))


def test_a_run_has_scalars_pictures_and_settings_and_a_resumed_one_writes_nothing_twice(
    tmp_path: Path,
) -> None:
    uri, folder = f"sqlite:///{tmp_path}/deep/mlflow.db", tmp_path / "set" / "run"
    picture = np.full((8, 8, 3), 200, np.uint8)
    logger = RunMlflowLogger(str(folder), 0, uri, "mine")
    assert not list(tmp_path.iterdir())  # nothing before there is something to write
    logger.finalize("success")
    assert not list(tmp_path.iterdir())
    logger.begin_row(Settings({"model": "resnext", "optimizer.lr": 1e-3}), ["test/eer"])
    logger.show_text("config", "seed: 0")
    for step in (10, 20, 30):
        logger.log_metrics({"val/tar": step / 100, "epoch": 1, "val/auc": float("nan")}, step)
        logger.show_picture("val/roc", picture, step)

    # Killed, and gone on with from the checkpoint of step 15.
    resumed = RunMlflowLogger(str(folder), 16, uri, "mine")
    for step in (20, 30, 40):
        resumed.log_metrics({"val/tar": step / 100, "epoch": 1}, step)
        resumed.show_picture("val/roc", picture, step)
    resumed.end_row(Settings({}))
    (run,) = runs(uri)
    client = mlflow.MlflowClient(uri)
    points = [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, "val/tar")]
    assert points == [(10, 0.1), (20, 0.2), (30, 0.3), (40, 0.4)]
    assert set(run.data.metrics) == {"val/tar"}
    assert run.data.params == {"model": "resnext", "optimizer.lr": "0.001"}
    assert (run.info.run_name, run.info.status) == ("set/run", "FINISHED")
    pictures = sorted(tmp_path.glob("deep/mlflow/**/*.png"))
    assert [path.name for path in pictures] == [f"roc-{step:06d}.png" for step in (10, 20, 30, 40)]
    assert np.array_equal(np.asarray(Image.open(pictures[0])), picture)
    assert [path.read_text() for path in tmp_path.glob("deep/mlflow/**/config-000000.md")] == ["seed: 0"]

    resumed.end_row(Settings({}), "collapse")
    (run,) = runs(uri)
    assert (run.data.tags["ended_by"], run.info.status) == ("collapse", "FAILED")

    # Another run begins in the folder.
    RunMlflowLogger(str(folder), 0, uri, "mine").log_metrics({"val/tar": 0.7}, 10)
    assert len(runs(uri)) == 2
