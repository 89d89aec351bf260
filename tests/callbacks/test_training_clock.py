import logging
import time

import lightning as L
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from facenet_lit.batch import Batch
from facenet_lit.budget import Budget
from facenet_lit.callbacks.training_clock import TrainingClock, set_rate
from facenet_lit.schedule import CosineSchedule, Schedule

pytestmark = pytest.mark.filterwarnings("ignore")

PAUSE = 0.2


class Net(L.LightningModule):
    """Trains at once and validates slowly; keeps the rates it trained at."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.rates: list[float] = []
        self.validations = 0

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        self.rates.append(self.optimizers().param_groups[0]["lr"])
        return self.layer(batch.images).sum()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self.validations += 1
        time.sleep(PAUSE)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.5)


def batches(count: int) -> DataLoader:
    batch = Batch(torch.zeros(2, 1), torch.zeros(2), torch.zeros(2), None)
    return DataLoader([batch] * count, batch_size=None)


def fit(clock: TrainingClock, validate_every: int = 100) -> tuple[Net, L.Trainer]:
    net = Net()
    trainer = L.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, max_epochs=-1, callbacks=[clock], val_check_interval=validate_every,
        check_val_every_n_epoch=None, num_sanity_val_steps=0,
    )  # fmt: skip
    trainer.fit(net, batches(3), batches(1))
    return net, trainer


def test_the_run_ends_when_the_steps_are_spent() -> None:
    clock = TrainingClock(Budget(steps=7), Schedule())
    net, trainer = fit(clock)
    assert trainer.global_step == len(net.rates) == clock.budget.steps_spent == 7
    assert clock.budget.is_spent


def test_the_clock_stands_still_in_validation() -> None:
    clock = TrainingClock(Budget(steps=6), Schedule())
    start = time.perf_counter()
    net, _ = fit(clock, validate_every=2)
    assert net.validations >= 3
    assert 0 < clock.budget.seconds_spent <= time.perf_counter() - start - PAUSE * net.validations


def test_the_run_ends_when_the_minutes_are_spent() -> None:
    clock = TrainingClock(Budget(minutes=0.05 / 60), Schedule())
    net, _ = fit(clock)
    assert len(net.rates) > 1
    assert clock.budget.seconds_spent >= 0.05


def test_where_both_are_given_the_run_ends_when_both_are_spent() -> None:
    clock = TrainingClock(Budget(minutes=1e-9, steps=5), Schedule())
    assert len(fit(clock)[0].rates) == 5


def test_the_rate_follows_the_schedule() -> None:
    schedule = CosineSchedule(warmup=0.3, final=0.1)
    net, _ = fit(TrainingClock(Budget(steps=8), schedule))
    assert net.rates == pytest.approx([0.5 * schedule(step / 8) for step in range(8)])


def test_a_run_with_nothing_left_does_no_step() -> None:
    clock = TrainingClock(Budget(steps=3), Schedule())
    clock.load_state_dict({"seconds_spent": 1.0, "steps_spent": 3, "images_spent": 9})
    assert fit(clock)[0].rates == []


def test_the_budget_is_told_as_training_starts(caplog: pytest.LogCaptureFixture) -> None:
    clock = TrainingClock(Budget(steps=4), Schedule())
    with caplog.at_level(logging.INFO, "facenet_lit"):
        fit(clock)
        clock.load_state_dict({"seconds_spent": 1.0, "steps_spent": 1, "images_spent": 3})
        fit(clock)
    told = [line for line in caplog.messages if line.startswith("budget")]
    assert told == ["budget: 4 steps", "budget: 4 steps, 25% spent"]


def test_what_is_spent_is_kept() -> None:
    clock = TrainingClock(Budget(steps=3), Schedule())
    fit(clock)
    other = TrainingClock(Budget(steps=9), Schedule())
    other.load_state_dict(clock.state_dict())
    assert other.budget.seconds_spent == clock.budget.seconds_spent
    assert other.budget.share == pytest.approx(1 / 3)
    assert other.budget.images_spent == clock.budget.images_spent == 6


def test_pauses_in_pauses() -> None:
    clock = TrainingClock(Budget(steps=3), Schedule())
    with clock.paused():
        clock.pause()
    assert clock.budget.seconds_spent == 0  # it never ran, and does not begin to
    clock.resume()
    with clock.paused():
        spent = clock.budget.seconds_spent
        with clock.paused():
            time.sleep(0.01)
        assert clock.budget.seconds_spent == spent > 0
    clock.pause()
    assert clock.budget.seconds_spent > spent


def test_every_group_keeps_its_own_base() -> None:
    one, other = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([{"params": [one], "lr": 0.5}, {"params": [other], "lr": 0.25}])
    for factor in (0.5, 0.1):
        set_rate(optimizer, factor)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.05, 0.025])
