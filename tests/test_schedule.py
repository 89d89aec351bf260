import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.errors import UserError
from facenet_lit.schedule import CosineSchedule, Schedule, StepSchedule

shares = st.floats(0, 1)


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
