from __future__ import annotations

import math
from typing import Any

import pytest
from test_training_steps import CPU, batch, module

from facenet_lit.checks.finding import Verdict
from facenet_lit.checks.one_batch import HELD, Fit, check_fit, fit_one_batch
from facenet_lit.checks.training_steps import Told, TrainingSteps
from facenet_lit.health.causes import Circumstances, causes
from facenet_lit.health.illnesses import ILLNESSES, POINT
from facenet_lit.losses.triplet import TripletLoss

RUN = Circumstances(0.05, False, False, "semi_hard")


class Scripted(TrainingSteps):
    """Steps whose losses are known beforehand."""

    def __init__(self, losses: list[float]) -> None:
        self.told_by = TripletLoss(0.2)
        self.losses = losses
        self.steps = 0

    def step(self, batch: Any) -> Told:
        self.steps += 1
        return Told(self.losses[self.steps - 1], 1.0)


def fit(losses: list[float], spread: float = 1.0) -> Fit:
    return Fit(losses, spread, 0.2, 96)


def test_a_network_learns_a_batch_by_heart_and_one_that_does_not_move_does_not() -> None:
    network = module(lr=0.3)
    network.embedder.dropout.p = 0.0
    good = fit_one_batch(TrainingSteps(network, "32", CPU), batch(), 50, 60.0)
    assert good.reached
    assert check_fit(good, RUN).verdict is Verdict.OK
    still = fit_one_batch(TrainingSteps(module(lr=0.0), "32", CPU), batch(), 30, 60.0)
    assert len(still.losses) == 30
    found = check_fit(still, RUN, 30)
    assert found.verdict is Verdict.STOP
    assert found.advice.startswith("it does not learn: look at optimizer.lr")


def test_it_ends_when_the_goal_is_held() -> None:
    below = [0.01] * 50
    taking = Scripted([0.2, 0.01, 0.01, 0.1, *below])
    assert len(fit_one_batch(taking, batch(), 50, 60.0).losses) == 4 + HELD
    never = Scripted([0.03] * 60)
    assert len(fit_one_batch(never, batch(), 50, 60.0).losses) == 50


def test_it_ends_when_the_loss_is_no_number_or_the_time_is_up() -> None:
    assert len(fit_one_batch(Scripted([0.2, math.nan, 0.1]), batch(), 50, 60.0).losses) == 2
    assert len(fit_one_batch(Scripted([0.2, 0.1]), batch(), 50, 0.0).losses) == 1


@pytest.mark.parametrize(
    ("told", "verdict", "advice"),
    [
        (fit([0.2, *[0.019] * HELD]), Verdict.OK, ""),
        (
            fit([0.2] * 40 + [0.019] * (HELD + 4) + [0.021]),
            Verdict.LOOK,
            "it learns slowly: raise optimizer.lr",
        ),
        (fit([0.2] * 30 + [0.1] * 20), Verdict.LOOK, "it learns slowly"),
        (fit([0.2, 0.17] * 25), Verdict.STOP, "it does not learn"),
        (fit([0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1]), Verdict.LOOK, "only 8 of 50 steps fit into 60 s"),
        (fit([0.18] * 50), Verdict.STOP, "it does not learn"),
        (
            fit([0.18] * 49 + [0.2], POINT - 1e-3),
            Verdict.STOP,
            "check in this order:\n  1. the learning rate",
        ),
        (fit([0.18] * 49 + [0.2], POINT), Verdict.STOP, "it does not learn"),
        (fit([0.18, math.inf]), Verdict.STOP, "check in this order:\n  1. the learning rate"),
        (fit([math.nan]), Verdict.STOP, "check in this order:\n  1. the learning rate"),
    ],
)
def test_verdicts(told: Fit, verdict: Verdict, advice: str) -> None:
    found = check_fit(told, RUN)
    assert found.verdict is verdict
    assert found.advice.startswith(advice)
    assert bool(found.advice) == bool(advice)


def test_first_and_last_loss_are_told() -> None:
    found = check_fit(fit([0.1959, *[0.004] * HELD]), RUN)
    assert "6 steps on one batch of 96 rows" in found.said
    assert "from 0.1959 to 0.0040; a tenth of the margin is 0.0200" in found.said


def test_a_margin_of_nought_is_never_undercut() -> None:
    assert not Fit([0.0] * 9, 1.0, 0.0, 6).reached


@pytest.mark.parametrize(("illness", "told"), [("collapse", fit([0.2] * 50, 0.01)), ("nan", fit([math.nan]))])
def test_illnesses_are_told_in_the_words_of_embedding_health(illness: str, told: Fit) -> None:
    found = check_fit(told, RUN)
    assert ILLNESSES[illness].title[1:] in found.said
    assert all(cause in found.advice for cause in causes(illness, RUN))
