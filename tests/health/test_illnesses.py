"""Embeddings made to have each illness, and healthy ones."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import normalize

from facenet_lit.batch import Rows
from facenet_lit.health.illnesses import ILLNESSES, OF_A_BATCH, Past, inputs_show, shown_by, shows_gap
from facenet_lit.health.inputs import Inputs
from facenet_lit.health.vitals import Vitals, shape_of

PEOPLE, EACH, SIZE = 20, 4, 32


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def faces(within: float = 0.5, size: int = SIZE, people: int = PEOPLE) -> Tensor:
    """Embeddings as a network has them that is learning: people around centres of their own."""
    centres = randn(people, size).repeat_interleave(EACH, 0)
    return normalize(centres + within * randn(len(centres), size, seed=1), dim=1)


def look(
    embeddings: Tensor,
    loss: float = 0.15,
    active: float | None = 0.8,
    gradient: float = 1.0,
    least: float = 1.0,
) -> Vitals:
    numbers = torch.arange(len(embeddings))
    return Vitals(
        10, loss, active, gradient, least, shape_of(Rows(embeddings, numbers // EACH, numbers), 0.2)
    )


def seen(*looks: Vitals) -> Past:
    past = Past()
    for vitals in looks:
        past.add(vitals)
    return past


def shown(vitals: Vitals, *before: Vitals) -> str | None:
    return shown_by(vitals, seen(*before))


@given(st.floats(0.0, 2.0), st.integers(8, 64), st.integers(8, 40))
@settings(max_examples=30, deadline=None)
def test_healthy_embeddings_show_nothing(within: float, size: int, people: int) -> None:
    assert shown(look(faces(within, size, people))) is None


@pytest.mark.parametrize("size", [2, 3, 4])
def test_small_embeddings_are_not_ill_for_being_small(size: int) -> None:
    assert shown(look(faces(0.2, size))) is None


@pytest.mark.parametrize("width", [0.05, 0.2])
def test_a_cone_is_not_a_point(width: float) -> None:
    """A plain linear head behind averages of positive features starts like this, and may grow narrower at first."""
    cone = look(normalize(width * randn(80, SIZE) / SIZE**0.5 + torch.eye(SIZE)[0], dim=1))
    assert shown(cone) is None
    assert shown(cone._replace(least_spread=0.03)) is None


@pytest.mark.parametrize("width", [0.0, 1e-6, 1e-3, 0.01])
def test_collapse(width: float) -> None:
    point = normalize(torch.eye(SIZE)[0] + width * randn(80, SIZE) / SIZE**0.5, dim=1)
    assert shown(look(point, loss=0.2, active=1.0)) == "collapse"
    # The masked miner finds no triplet then, and the loss is 0.
    assert shown(look(point, loss=0.0, active=None, gradient=0.0)) == "collapse"


def test_a_point_that_twitches_just_when_it_is_looked_at() -> None:
    assert shown(look(faces(), loss=0.2, least=0.01)) == "collapse"
    assert shown(look(faces(), loss=0.2, least=0.08)) is None


@pytest.mark.parametrize("noise", [0.0, 1e-3, 1e-2])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_partial_collapse(dimensions: int, noise: float) -> None:
    """In some dimensions, and a little in all others: rows with noise of a hundredth in 128 are a tenth off."""
    few = normalize(faces(size=128)[:, :dimensions] @ torch.eye(dimensions, 128), dim=1)
    ill = look(normalize(few + noise * randn(80, 128, seed=2), dim=1))
    assert shown(ill, look(faces(size=128))) == "partial_collapse"  # there were many
    # A network may begin in few, but not stay there.
    assert shown(ill, *[ill] * 19) is None
    assert shown(ill, *[ill] * 20) == "partial_collapse"


def test_two_people_have_no_room_for_dimensions() -> None:
    assert shown(look(faces(0.3, people=2))) is None


def test_saturation() -> None:
    assert shown(look(faces(0.05), loss=0.0, active=0.0, gradient=0.0)) == "saturation"
    assert shown(look(faces(0.05), loss=0.0, active=None, gradient=0.0)) == "saturation"
    # A loss without hinge goes on teaching.
    assert shown(look(faces(0.05), loss=0.01, active=0.0)) is None
    assert shown(look(faces(0.05), loss=0.01, active=0.001)) is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none(value: float) -> None:
    assert shown(look(faces(), loss=value)) == "nan"
    assert shown(look(faces(), gradient=value)) == "nan"
    assert shown(look(faces() * value)) == "nan"


def test_an_exploding_loss() -> None:
    falling = [look(faces(), loss=loss) for loss in (30.0, 25.0, 18.0)]
    assert shown(look(faces(), loss=55.0), *falling) == "exploding"
    assert shown(look(faces(), loss=40.0), *falling) is None  # not much more than at first
    assert shown(look(faces(), loss=1e9)) is None  # nothing to compare with
    # The mean over a handful of triplets jumps.
    assert shown(look(faces(), loss=0.6), look(faces(), loss=0.1), look(faces(), loss=0.0)) is None
    # Hinges of 0.2 are hardly larger than 0.6.
    small = seen(look(faces(), loss=0.19), look(faces(), loss=0.05))
    assert shown_by(look(faces(), loss=0.7), small, margin=0.2) == "exploding"
    assert shown_by(look(faces(), loss=0.5), small, margin=0.2) is None
    assert shown_by(look(faces(), loss=0.7), small) is None
    assert shown_by(look(faces(), loss=0.7), small, margin=0.0) is None
    # A switch of losses brings another, lower level.
    assert shown(look(faces(), loss=0.15), *falling) is None
    assert shown(look(faces(), loss=0.2), *falling, look(faces(), loss=0.15)) is None


def test_an_exploding_gradient() -> None:
    before = [look(faces(), gradient=norm) for norm in (1.0, 3.0, 2.0, 0.5, 1.0)]
    assert shown(look(faces(), gradient=400.0), *before) == "exploding"
    assert shown(look(faces(), gradient=200.0), *before) is None
    assert shown(look(faces(), gradient=400.0), *before[:4]) is None  # too early to tell


def test_looks_without_any_active_triplet_are_no_measure_of_gradients() -> None:
    """Few triplets in a batch, most of them met: many looks have no gradient, and then one has."""
    nothing = [look(faces(), loss=0.01, gradient=0.0)] * 20
    assert shown(look(faces(), gradient=3.0), *nothing) is None
    some = [look(faces(), gradient=1.0)] * 5
    assert shown(look(faces(), gradient=3.0), *nothing, *some) is None
    assert shown(look(faces(), gradient=300.0), *nothing, *some) == "exploding"


def test_what_is_no_number_is_not_compared_with() -> None:
    past = seen(look(faces(), loss=math.nan), look(faces(), loss=0.4), look(faces(), loss=0.2))
    assert (past.first_loss, past.least_loss, past.looks) == (0.4, 0.2, 2)


def test_a_gap_between_training_and_validation() -> None:
    assert shows_gap(0.005, 0.06, 0.2)
    assert not shows_gap(0.005, 0.04, 0.2)  # nearly met
    assert not shows_gap(0.05, 0.15, 0.2)  # still learning
    assert not shows_gap(0.0, 0.0, 0.0)


def test_inputs() -> None:
    assert inputs_show(Inputs(0.5, 0.25)) == "inputs"
    assert inputs_show(Inputs(0.1, 0.5)) is None


def test_every_illness_can_be_shown() -> None:
    assert set(ILLNESSES) == {*OF_A_BATCH, "gap", "inputs"}
