import math
import os
import signal
import time
from pathlib import Path

import lightning as L
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from facenet_lit.batch import Batch
from facenet_lit.budget import Budget
from facenet_lit.callbacks.checkpoints import Checkpoints, StoppedBySignal
from facenet_lit.callbacks.training_clock import TrainingClock
from facenet_lit.errors import UserError
from facenet_lit.schedule import Schedule

pytestmark = pytest.mark.filterwarnings("ignore")


class Net(L.LightningModule):
    """Logs given values of the monitor, one for each validation, and counts its steps in a weight."""

    def __init__(self, monitor: str, values: list[float]) -> None:
        super().__init__()
        self.monitor = monitor
        self.layer = nn.Linear(1, 1)
        self.values = list(values)

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        return self.layer(batch.images).sum()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        if self.values:
            self.log(self.monitor, self.values.pop(0))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.5)


class Watch(L.Callback):
    """Reads what lies in the folder at the end of each step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.last: list[int | None] = []

    def on_train_batch_end(self, *_: object) -> None:
        path = self.folder / "last.ckpt"
        self.last.append(torch.load(path, weights_only=True)["global_step"] if path.exists() else None)
        assert not list(self.folder.glob("*.partial"))


def loader(count: int) -> DataLoader:
    batch = Batch(torch.zeros(2, 1), torch.zeros(2), torch.zeros(2), None)
    return DataLoader([batch] * count, batch_size=None)


def made(
    folder: Path, monitor: str = "val/eer", every_seconds: float = 1000, steps: int = 4, best_from: float = 0
) -> Checkpoints:
    clock = TrainingClock(Budget(steps=steps), Schedule())
    return Checkpoints(folder, monitor, every_seconds, best_from, clock)


def fit(checkpoints: Checkpoints, values: list[float], *more: L.Callback, validate_every: int = 1) -> None:
    trainer = L.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, max_epochs=-1, callbacks=[checkpoints.clock, checkpoints, *more],
        val_check_interval=validate_every, check_val_every_n_epoch=None, num_sanity_val_steps=0,
    )  # fmt: skip
    trainer.fit(Net(checkpoints.monitor, values), loader(3), loader(1))


def step_of(path: Path) -> int:
    return torch.load(path, weights_only=True)["global_step"]


@pytest.mark.parametrize(
    ("monitor", "values", "best"),
    [
        ("val/eer_balanced", [0.5, 0.3, 0.4, 0.3], 2),  # the first of equals
        ("val/auc", [0.5, 0.3, 0.6, 0.4], 3),
        ("val/loss", [math.nan, 0.4, math.nan, 0.5], 2),
        ("val/eer", [0.4, math.nan, math.nan, 0.3], 4),
        (
            "val/tar_at_far_1e-1",
            [math.nan, math.nan, math.nan, math.nan],
            1,
        ),  # there is a best one all the same
        ("val/eer", [], 1),  # the monitor is not told
    ],
)
def test_the_best_is_that_of_the_monitor(
    tmp_path: Path, monitor: str, values: list[float], best: int
) -> None:
    checkpoints = made(tmp_path, monitor)
    fit(checkpoints, values)
    assert step_of(checkpoints.best_path) == best
    assert step_of(checkpoints.last_path) == 4
    assert {path.name for path in tmp_path.iterdir()} == {"best.ckpt", "last.ckpt"}


@pytest.mark.parametrize(("best_from", "best"), [(0.25, 1), (0.26, 3), (0.5, 3), (0.75, 3), (1, 4)])
def test_the_best_is_chosen_from_a_share_of_the_budget_on(
    tmp_path: Path, best_from: float, best: int
) -> None:
    checkpoints = made(tmp_path, best_from=best_from)
    fit(checkpoints, [0.1, 0.4, 0.2, 0.3])
    assert step_of(checkpoints.best_path) == best


def test_the_last_is_written_at_validations(tmp_path: Path) -> None:
    checkpoints, watch = made(tmp_path, steps=5), Watch(tmp_path)
    fit(checkpoints, [0.5] * 9, watch, validate_every=2)
    assert watch.last == [None, None, 2, 2, 4]
    assert step_of(checkpoints.last_path) == 5


def test_the_last_is_written_when_its_time_comes(tmp_path: Path) -> None:
    checkpoints, watch = made(tmp_path, every_seconds=1e-9), Watch(tmp_path)
    fit(checkpoints, [0.5], watch, validate_every=100)
    assert watch.last == [1, 2, 3, 3]  # the last step leaves it to the validation that follows
    assert step_of(checkpoints.last_path) == 4


def test_the_best_value_is_kept(tmp_path: Path) -> None:
    checkpoints = made(tmp_path)
    fit(checkpoints, [0.5, 0.3, 0.4, 0.6])
    other = made(tmp_path / "other")
    other.load_state_dict(checkpoints.state_dict())
    fit(other, [0.5, 0.4, 0.2, 0.3])
    assert step_of(other.best_path) == 3
    assert checkpoints.best == pytest.approx(0.3)


class Signal(L.Callback):
    """Sends this process a signal as a step begins."""

    def __init__(self, signum: int, step: int) -> None:
        self.signum, self.step = signum, step

    def on_train_batch_start(self, trainer: L.Trainer, *_: object) -> None:
        if trainer.global_step == self.step - 1:
            os.kill(os.getpid(), self.signum)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_behind_its_step(tmp_path: Path, signum: int) -> None:
    before = signal.getsignal(signum)
    checkpoints = made(tmp_path, steps=9)
    with pytest.raises(StoppedBySignal, match=signal.Signals(signum).name) as stop:
        fit(checkpoints, [], Signal(signum, 2), validate_every=100)
    assert stop.value.signum == signum
    assert stop.value.path == checkpoints.last_path
    assert step_of(checkpoints.last_path) == 2
    assert signal.getsignal(signum) == before


class TwoSignals(L.Callback):
    """Sends this process two signals in the second step, or in the validation behind it."""

    def __init__(self, first: int, second: int, hook: str) -> None:
        self.signals = (first, second)
        setattr(self, hook, self.send)

    def send(self, trainer: L.Trainer, *_: object) -> None:
        if trainer.global_step in (1, 2):
            for signum in self.signals:
                os.kill(os.getpid(), signum)
                time.sleep(0.01)  # the interpreter takes it between two instructions


@pytest.mark.parametrize("hook", ["on_train_batch_start", "on_validation_batch_start"])
@pytest.mark.parametrize(
    ("first", "second"),
    [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)],
)
def test_a_second_signal_stops_at_once(tmp_path: Path, first: int, second: int, hook: str) -> None:
    before = [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)]
    checkpoints = made(tmp_path, steps=9)
    with pytest.raises(SystemExit) as stop:
        fit(checkpoints, [], TwoSignals(first, second, hook), validate_every=2)
    assert stop.value.code == 128 + second
    assert not checkpoints.last_path.exists()
    assert [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)] == before


def test_signals_are_given_back_after_a_run(tmp_path: Path) -> None:
    before = [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)]
    fit(made(tmp_path), [])
    assert [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize("seconds", [0, -1, "soon"])
def test_a_bad_interval(tmp_path: Path, seconds: object) -> None:
    with pytest.raises(UserError, match=r"checkpoint\.every_seconds="):
        made(tmp_path, every_seconds=seconds)


@pytest.mark.parametrize("share", [-0.1, 1.1, "late"])
def test_a_bad_share(tmp_path: Path, share: object) -> None:
    with pytest.raises(UserError, match=r"checkpoint\.best_from="):
        made(tmp_path, best_from=share)
