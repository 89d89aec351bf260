"""Collectives against what one process computes of everything at once."""

import math

import pytest
import torch
from gloo_processes import Processes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from facenet_lit import gathering
from facenet_lit.batch import Rows, share_of
from facenet_lit.errors import UserError

WORLDS = [1, 2, 4]
FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def whole_batch(total: int, size: int = 3, views: bool = True) -> Rows:
    generator = torch.Generator().manual_seed(total)
    embeddings = torch.randn(total, size, generator=generator, dtype=torch.float64)
    numbers = torch.arange(total) // 2
    return Rows(embeddings, numbers // 2, numbers, torch.arange(total) % 2 if views else None)


def own_share(rows: Rows) -> Rows:
    first, last = share_of(len(rows.numbers), gathering.rank(), gathering.world_size())
    return Rows(*(None if column is None else column[first:last] for column in rows))


def objective(own: Tensor, rows: Tensor) -> Tensor:
    """Any function of a process's rows and of all of them, unlike for different processes."""
    return ((own @ rows.T).sin() * torch.arange(1, len(rows) + 1, device=rows.device)).sum()


def gather_and_differentiate(total: int, views: bool, device: str = "cpu") -> tuple[Rows, Tensor]:
    own = own_share(whole_batch(total, views=views))
    own = Rows(*(None if column is None else column.to(device) for column in own))
    own.embeddings.requires_grad_()
    rows = gathering.gather_rows(own, total)
    objective(own.embeddings, rows.embeddings).backward()
    gathered = Rows(rows.embeddings.detach(), *rows[1:])
    return Rows(*(None if column is None else column.cpu() for column in gathered)), own.embeddings.grad.cpu()


@FEW
@given(total=st.integers(1, 9), world=st.sampled_from(WORLDS), views=st.booleans())
def test_gathered_rows_and_their_gradient(together: Processes, total: int, world: int, views: bool) -> None:
    whole = whole_batch(total, views=views)
    whole.embeddings.requires_grad_()
    objective(whole.embeddings, whole.embeddings).backward()
    results = together(world, gather_and_differentiate, total, views)
    for rows, _ in results:
        for column, expected in zip(rows, whole, strict=True):
            assert column is expected is None or torch.equal(column, expected)
    gradient = torch.cat([gradient for _, gradient in results])
    assert torch.allclose(gradient, whole.embeddings.grad, rtol=1e-12, atol=1e-12)


def sums(values: list[float]) -> tuple[float, float, float]:
    own = torch.tensor(values[gathering.rank()], requires_grad=True, dtype=torch.float64)
    total = gathering.sum_with_gradient(own)
    total.square().backward()
    return float(total), float(own.grad), float(gathering.sum_of(own))


@pytest.mark.parametrize("world", WORLDS)
def test_a_sum_has_the_world_size_times_its_gradient(together: Processes, world: int) -> None:
    values = [1.5, -2.0, 4.0, 0.25][:world]
    total = sum(values)
    assert together(world, sums, values) == [(total, world * 2 * total, total)] * world


def small_words() -> tuple:
    me = gathering.rank()
    return (
        gathering.world_size(),
        gathering.greatest([3, 15, 2, 0][me]),
        gathering.told_by_first(0.1 + me),
        gathering.send({"me": me, "values": [0.1, None, float("inf"), "ä"]}),
        gathering.done_by_first(lambda: me),
    )


@pytest.mark.parametrize("world", WORLDS)
def test_small_words(together: Processes, world: int) -> None:
    message = {"me": 0, "values": [0.1, None, math.inf, "ä"]}
    assert together(world, small_words) == [(world, 3 if world == 1 else 15, 0.1, message, 0)] * world


def failing() -> tuple[str, list[int]]:
    called = []

    def fails() -> None:
        called.append(gathering.rank())
        raise UserError("no such thing")

    with pytest.raises(UserError) as caught:
        gathering.done_by_first(fails)
    return str(caught.value), called


@pytest.mark.parametrize("world", WORLDS)
def test_an_error_of_the_first_is_everyones(together: Processes, world: int) -> None:
    results = together(world, failing)
    assert results == [("no such thing", [0])] + [("no such thing", [])] * (world - 1)


def one_after_the_other(place: str) -> str:
    def look() -> None:
        with open(place, "a") as file:
            file.write(str(gathering.rank()))

    gathering.first_then_others(look)
    gathering.sum_of(torch.zeros(1))  # all are through
    with open(place) as file:
        return file.read()


@pytest.mark.parametrize("world", WORLDS)
def test_the_first_goes_before_the_others(together: Processes, tmp_path, world: int) -> None:
    (written, *_) = together(world, one_after_the_other, str(tmp_path / "who"))
    assert written[0] == "0"
    assert sorted(written) == sorted("0123"[:world])


def gather_blocks(lengths: list[int], block: int) -> Tensor:
    me = gathering.rank()
    rows = torch.arange(lengths[me] * 2).view(-1, 2) + 100 * me
    return gathering.gather_to_first(rows if lengths[me] else torch.empty(0, 7, dtype=torch.long), block)


@FEW
@given(
    lengths=st.lists(st.integers(0, 9), min_size=4, max_size=4),
    world=st.sampled_from(WORLDS),
    block=st.integers(1, 6),
)
def test_rows_travel_to_the_first_in_blocks(
    together: Processes, lengths: list[int], world: int, block: int
) -> None:
    first, *others = together(world, gather_blocks, lengths, block)
    expected = [torch.arange(lengths[me] * 2).view(-1, 2) + 100 * me for me in range(world)]
    if sum(lengths[:world]):
        assert torch.equal(first, torch.cat(expected))
    else:
        assert not len(first)
    assert not any(len(other) for other in others)
