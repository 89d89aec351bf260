"""Training on several processes gives what one gives on the same global batch, in float64 to 1e-10."""

import functools

import numpy as np
import pytest
import torch
from gloo_processes import Processes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from many_processes import (
    CLOSE,
    PAIRS,
    every_setting,
    largest_differences,
    relative_differences,
    table,
)
from watched_training import Outcome, Setting, train_together


@functools.cache
def alone(setting: Setting) -> Outcome:
    return train_together(setting)


def compare(together: Processes, setting: Setting, world: int) -> None:
    expected, outcomes = alone(setting), together(world, train_together, setting)
    for step, rows in enumerate(expected.rows):
        # Nothing repeated, nothing lost, and every picture augmented as one process does.
        assert [row for outcome in outcomes for row in outcome.rows[step]] == rows
        mined = [outcome.triplets[step] for outcome in outcomes]
        assert set.union(*mined) == expected.triplets[step]
        assert sum(map(len, mined)) == len(expected.triplets[step])
    for outcome in outcomes:
        assert outcome.losses == pytest.approx(expected.losses, rel=CLOSE, abs=1e-12)
        differences = relative_differences(expected.weights, outcome.weights)
        assert all(value <= CLOSE for value in differences.values()), differences
        assert set(outcome.figures) == set(expected.figures)
        for name, value in expected.figures.items():
            exactly = (
                value if "distance" not in name and "loss" not in name else pytest.approx(value, abs=CLOSE)
            )
            assert outcome.figures[name] == exactly, name


def test_every_pair_makes_sense() -> None:
    assert (
        len({(setting.sampler, setting.miner, setting.loss) for setting in every_setting()})
        == len(PAIRS)
        == 13
    )
    assert len(every_setting()) == 52
    assert [(setting.sampler, setting.miner, setting.loss) for setting in HERE] == PAIRS


# One network and optimiser for each pair, two processes; all of them, and four, are slow.
HERE = [every_setting()[4 * pair + pair % 4] for pair in range(len(PAIRS))]


@pytest.mark.parametrize("world", [2])
@pytest.mark.parametrize("setting", HERE, ids=str)
def test_several_processes_give_what_one_gives(together: Processes, setting: Setting, world: int) -> None:
    compare(together, setting, world)


@pytest.mark.slow
@pytest.mark.parametrize("world", [2, 4])
@pytest.mark.parametrize("setting", every_setting(), ids=str)
def test_all_of_them_do(together: Processes, setting: Setting, world: int) -> None:
    compare(together, setting, world)


def test_dropout_is_that_of_the_global_batch(together: Processes) -> None:
    compare(together, Setting("pk", "semi_hard", dropout=0.5), 2)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    counts=st.lists(st.integers(1, 5), min_size=3, max_size=12).filter(lambda counts: max(counts) > 1),
    rows=st.integers(1, 5),
    world=st.integers(2, 4),
    sampler=st.sampled_from(["triplets", "pk"]),
)
def test_any_people_any_batch_any_number_of_processes(
    together: Processes, counts: list[int], rows: int, world: int, sampler: str
) -> None:
    # Three rows on four processes: one has none, and joins all the same.
    size = 3 * rows if sampler == "triplets" else 2 * (rows + 1) + 1
    miner = "given" if sampler == "triplets" else "semi_hard"
    setting = Setting(sampler, miner, batch_size=size, counts=(*counts, 1, 2), steps=3)
    compare(together, setting, world)


def test_differences_are_relative_to_the_norm() -> None:
    one = {"a": torch.tensor([3.0, 4.0]), "b": torch.tensor([1e-9])}
    other = {"a": torch.tensor([3.0, 4.5]), "b": torch.tensor([3e-9])}
    differences = relative_differences(one, other)
    assert differences["a"] == pytest.approx(0.1)
    assert differences["b"] == pytest.approx(2e-9)
    assert np.isfinite(list(differences.values())).all()


def test_the_table_has_a_row_for_every_setting() -> None:
    one = alone(HERE[0])
    other = Outcome({**one.weights}, one.triplets, one.rows, one.losses)
    (name, *_) = (name for name, value in one.weights.items() if value.is_floating_point() and value.any())
    other.weights[name] = one.weights[name] * (1 + 1e-7)
    (difference,) = largest_differences([one], [other])
    assert difference == pytest.approx(1e-7, rel=1e-3)
    assert largest_differences([one], [Outcome()]) == [float("inf")]
    count = len(every_setting())
    lines = table([2, 4], [[difference] * count, [0.0] * count]).splitlines()
    assert len(lines) == 2 + count
    assert all(line.endswith("| 1.0e-07 | 0.0e+00 |") for line in lines[2:])
