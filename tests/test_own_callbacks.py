"""What every run has is there, in an order in which each finds what it needs."""

from pathlib import Path

from hydra import compose, initialize_config_dir

from facenet_lit.callbacks.checkpoints import Checkpoints
from facenet_lit.callbacks.growing_images import GrowingImages
from facenet_lit.callbacks.training_clock import TrainingClock
from facenet_lit.config_dir import config_dir
from facenet_lit.loggers.dashboard import Settings
from facenet_lit.own_callbacks import own_callbacks


def test_the_clock_comes_before_what_goes_by_its_budget(tmp_path: Path) -> None:
    with initialize_config_dir(str(config_dir()), version_base=None):
        config = compose("train", ["trainer.steps=10", "trainer.grow_from=32", "checkpoint.best_from=0.5"])
    budget, checkpoints, callbacks = own_callbacks(config, tmp_path, Settings({}))
    kinds = [type(callback) for callback in callbacks]
    assert len(set(kinds)) == len(kinds)
    clock, growing = kinds.index(TrainingClock), kinds.index(GrowingImages)
    assert clock < growing < kinds.index(Checkpoints)
    assert callbacks[clock].budget is callbacks[growing].budget is budget
    assert budget.steps == 10
    assert callbacks[growing].growth(0) == 32
    assert checkpoints in callbacks
    assert (checkpoints.best_from, checkpoints.folder) == (0.5, tmp_path / "checkpoints")
