from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facenet_lit.errors import UserError
from facenet_lit.loggers.dashboard import Settings
from facenet_lit.loggers.wandb_logger import RunWandbLogger

wandb = pytest.importorskip("wandb")


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this user's settings counts, and nothing is sent."""
    for name in ("WANDB_MODE", "WANDB_PROJECT", "WANDB_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "settings"))
    monkeypatch.setenv("WANDB_SILENT", "true")


def test_a_mode_that_is_none_is_refused_before_a_run_begins() -> None:
    RunWandbLogger.check(mode="offline")
    with pytest.raises(UserError, match=r"^logger\.mode=never: expected one of offline, online, disabled"):
        RunWandbLogger.check(mode="never")


def test_an_offline_run_holds_scalars_pictures_and_settings_and_a_resumed_one_goes_on(tmp_path: Path) -> None:
    folder, picture = tmp_path / "run", np.full((8, 8, 3), 200, np.uint8)
    folder.mkdir()
    logger = RunWandbLogger(str(folder), 0)
    assert not list(folder.iterdir())  # nothing before there is something to write
    logger.begin_row(Settings({"model": "resnext", "optimizer.lr": 1e-3}), ["test/eer"])
    logger.show_text("config", "seed: 0")
    logger.log_metrics({"val/tar": 0.5, "epoch": 1}, 10)
    logger.show_picture("val/roc", picture, 10)
    run = logger.experiment
    assert dict(run.config) == {"model": "resnext", "optimizer.lr": 1e-3, "text/config": "seed: 0"}
    assert (run.summary["val/tar"], run.summary["trainer/global_step"]) == (0.5, 10)
    assert "epoch" not in run.summary.keys()  # noqa: SIM118 - it is no mapping
    logger.end_row(Settings({}))
    (kept,) = folder.glob("wandb/offline-run-*/files/media/images/val/*.png")
    assert np.array_equal(np.asarray(Image.open(kept)), picture)
    again = RunWandbLogger(str(folder), 11)
    again.log_metrics({"val/tar": 0.6}, 20)
    assert again.experiment.id == run.id
    again.end_row(Settings({}))
    another = RunWandbLogger(str(folder), 0)
    another.log_metrics({"val/tar": 0.6}, 20)
    assert another.experiment.id != run.id
    another.end_row(Settings({}), "collapse")
    assert another.experiment.config["ended_by"] == "collapse"
