import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.budget import DEFAULT_MINUTES, Budget, CosineSchedule, Schedule, StepSchedule
from facenet_lit.errors import UserError

shares = st.floats(0, 1)


def test_budget_in_steps() -> None:
    budget = Budget(steps=4)
    seen = []
    for step in range(5):
        budget.steps_spent = step
        seen.append((budget.share, budget.is_spent))
    assert seen == [(0.0, False), (0.25, False), (0.5, False), (0.75, False), (1.0, True)]


def test_a_budget_that_nobody_gives_is_of_some_minutes() -> None:
    assert (Budget().minutes, Budget().steps) == (DEFAULT_MINUTES, None)
    assert Budget(steps=4).minutes is None


def test_a_budget_says_what_it_is() -> None:
    assert str(Budget()) == "3 minutes of training"
    assert str(Budget(steps=1500)) == "1,500 steps"
    assert str(Budget(0.5, 10)) == "0.5 minutes of training and 10 steps, until both are spent"


def test_budget_in_minutes_does_not_count_steps() -> None:
    budget = Budget(minutes=0.5)
    budget.steps_spent, budget.seconds_spent = 10**9, 15.0
    assert budget.share == 0.5
    budget.seconds_spent = 31.0
    assert budget.is_spent
    assert budget.share == 1.0


@given(st.floats(0, 300), st.integers(0, 300))
def test_with_both_the_lesser_share_counts(seconds: float, steps: int) -> None:
    budget = Budget(minutes=2, steps=100)
    budget.seconds_spent, budget.steps_spent = seconds, steps
    assert budget.share == min(1.0, seconds / 120, steps / 100)
    assert budget.is_spent == (seconds >= 120 and steps >= 100)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"minutes": 0}, "trainer.minutes"),
        ({"minutes": "ten"}, "trainer.minutes"),
        ({"steps": 0}, "trainer.steps"),
        ({"steps": 1.5}, "trainer.steps"),
    ],
)
def test_impossible_budgets_are_refused(arguments: dict[str, object], name: str) -> None:
    with pytest.raises(UserError, match=name):
        Budget(**arguments)


def test_constant_after_warmup() -> None:
    schedule = Schedule(warmup=0.2)
    assert schedule(0.1) == pytest.approx(0.5)
    assert schedule(0.2) == schedule(1.0) == 1.0
    assert schedule(0.0) > 0  # the first step is not lost


@given(shares)
def test_cosine_against_its_formula(share: float) -> None:
    schedule = CosineSchedule(final=0.1)
    assert schedule(share) == pytest.approx(0.1 + 0.45 * (1 + math.cos(math.pi * share)))


def test_cosine_starts_behind_the_warmup() -> None:
    schedule = CosineSchedule(warmup=0.5)
    assert schedule(0.5) == 1.0
    assert schedule(0.75) == pytest.approx(0.5)
    assert schedule(1.0) == pytest.approx(0.0)


@given(shares, shares)
def test_cosine_falls(one: float, other: float) -> None:
    schedule = CosineSchedule()
    assert schedule(max(one, other)) <= schedule(min(one, other))


def test_steps_fall_at_their_milestones() -> None:
    schedule = StepSchedule(milestones=[0.5, 0.8], gamma=0.1)
    values = [schedule(share) for share in (0.0, 0.49, 0.5, 0.79, 0.8, 1.0)]
    assert values == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


@pytest.mark.parametrize("bad", [-0.1, 1.1, "a"])
def test_schedules_refuse_shares_out_of_range(bad: object) -> None:
    for make in (
        lambda: Schedule(bad),
        lambda: CosineSchedule(final=bad),
        lambda: StepSchedule(milestones=[bad]),
    ):
        with pytest.raises(UserError, match="scheduler"):
            make()


@pytest.mark.parametrize("bad", [0.5, "0.5", None])
def test_milestones_are_a_list(bad: object) -> None:
    with pytest.raises(UserError, match=rf"^scheduler\.milestones={bad}: expected a list of shares"):
        StepSchedule(milestones=bad)
