import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.batch import Batch
from facenet_lit.budget import Budget
from facenet_lit.checks import speed
from facenet_lit.checks.finding import Verdict
from facenet_lit.checks.speed import (
    Pace,
    check_speed,
    duration,
    planned,
    seconds_of_loading,
    seconds_of_steps,
)


class Clock:
    """Time that passes only where it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)

    def take(self, seconds: float) -> None:
        self.now += seconds


def endless(clock: Clock, first: float, others: float) -> Iterator[Batch]:
    numbers = torch.from_numpy(np.arange(3))
    for index in range(10**6):
        clock.take(others if index else first)
        yield Batch(torch.zeros(3, 3, 2, 2), numbers, numbers, None, place=(0, index))


def test_the_first_batch_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    seconds, kept = seconds_of_loading(endless(clock, 2.0, 0.25), 4.0, 2)
    assert seconds == 0.25
    assert [batch.place[1] for batch in kept] == [0, 1]
    assert 4.0 < clock.now <= 4.5


def test_a_short_epoch_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    few = [batch for batch, _ in zip(endless(clock, 1.0, 1.0), range(2), strict=False)]
    assert len(seconds_of_loading(few, 100.0, 5)[1]) == 2


def test_slow_steps_are_timed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    assert seconds_of_steps(lambda: clock.take(30.0), 6.0) == 30.0
    assert clock.now == 30.0 * (speed.WARM_UP + speed.LEAST)


@given(st.floats(0.01, 10), st.floats(0.01, 10), st.booleans())
def test_a_batch_takes_both_times_unless_workers_are_ahead(load: float, step: float, at_once: bool) -> None:
    assert Pace(10, load, step, at_once).batch == (max(load, step) if at_once else load + step)


@pytest.mark.parametrize(
    ("minutes", "steps", "expected"),
    [(2, None, (240, 120)), (None, 100, (100, 50)), (2, 100, (240, 120)), (1, 400, (400, 200))],
)
def test_a_budget_ends_with_the_later_of_its_limits(
    minutes: float | None, steps: int | None, expected: tuple[int, float]
) -> None:
    assert planned(Budget(minutes, steps), 0.5) == expected


def test_an_epoch_and_the_budget_are_told() -> None:
    found = check_speed(Pace(100, 0.1, 0.4, False), 60, Budget(None, 600), 1, ["in one process"])
    assert found.verdict is Verdict.OK
    assert "An epoch takes 30 s. The budget, 600 steps, comes to 5 min, 600 steps, 10.0 epochs" in found.said
    assert found.said.endswith("Timed in one process.")
    assert found.table[1:] == [
        ("loader alone", "1,000", "0.100"),
        ("network alone", "250", "0.400"),
        ("one after the other", "200", "0.500"),
    ]


def test_steps_of_several_batches_take_several() -> None:
    found = check_speed(Pace(100, 0.1, 0.4, False), 60, Budget(1, None), 4)
    assert "30 steps, 2.0 epochs" in found.said


def test_waiting_for_pictures_and_a_short_budget_are_told() -> None:
    found = check_speed(Pace(10, 2.0, 0.5, False), 60, Budget(None, 3), 1)
    assert found.verdict is Verdict.LOOK
    assert (
        "data.workers=2, or augmentation.where=device; the budget ends within the first epoch" in found.advice
    )
    assert "more data.workers" in check_speed(Pace(10, 2.0, 0.5, True), 6, Budget(None, 30), 1).advice


def test_times_are_told_in_their_unit() -> None:
    told = [duration(seconds) for seconds in (0.81, 45.2, 600, 27000)]
    assert told == ["0.8 s", "45 s", "10 min", "7.5 h"]
