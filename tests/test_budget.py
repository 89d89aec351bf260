import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.budget import DEFAULT_MINUTES, Budget
from facenet_lit.errors import UserError


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
