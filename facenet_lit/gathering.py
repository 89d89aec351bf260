"""Collectives over the processes of a run, with gradient where one is needed; alone they do nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from facenet_lit.batch import Rows, share_of
from facenet_lit.errors import UserError

FIRST = 0  # the rank that decides, writes and tells


def world_size() -> int:
    """Number of processes; 1 where no process group is joined."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """This process's number, from 0."""
    return dist.get_rank() if world_size() > 1 else FIRST


def gather_rows(own: Rows, total: int) -> Rows:
    """The rows of all processes in the order of the global batch, their embeddings with gradient.

    Args:
        own: this process's rows: its share of the global batch (:func:`facenet_lit.batch.share_of`).
        total: rows of the global batch.

    Returns:
        ``total`` rows. The gradient of the embeddings is the sum of what every process asks of them.
    """
    world = world_size()
    if world == 1:
        return own
    counts = [last - first for first, last in (share_of(total, each, world) for each in range(world))]
    views = own.numbers.new_full(own.numbers.shape, -1) if own.views is None else own.views
    words = _all_gather(torch.stack([own.identities, own.numbers, views], 1), counts)  # (total, 3)
    embeddings = _GatheredWithGradient.apply(own.embeddings, counts)
    identities, numbers, views = words.unbind(1)
    return Rows(embeddings, identities, numbers, None if own.views is None else views)


def sum_with_gradient(value: Tensor) -> Tensor:
    """The sum of a tensor over the processes; its gradient is the world size times that of the own summand.

    Processes that train together average their gradients, so this makes of the average the gradient of the sum.
    """
    return value if world_size() == 1 else _SummedWithGradient.apply(value)


def sum_of(value: Tensor) -> Tensor:
    """The sum of a tensor over the processes, without gradient."""
    value = value.detach().clone()
    if world_size() > 1:
        dist.all_reduce(value)
    return value


def greatest(value: int) -> int:
    """The greatest of the processes' integers."""
    if world_size() == 1:
        return value
    word = torch.tensor(value)
    dist.all_reduce(word, dist.ReduceOp.MAX)
    return int(word)


def told_by_first(value: float) -> float:
    """The first process's number."""
    if world_size() == 1:
        return value
    word = torch.tensor(value, dtype=torch.float64)
    dist.broadcast(word, FIRST)
    return float(word)


def send(message: Any) -> Any:
    """The first process's message, on every process: what JSON can hold, NaN and infinity included."""
    if world_size() == 1:
        return message
    text = json.dumps(message).encode() if rank() == FIRST else b""
    length = int(told_by_first(len(text)))
    word = torch.frombuffer(bytearray(text or length), dtype=torch.uint8)
    dist.broadcast(word, FIRST)
    return json.loads(bytes(word.tolist()))


def done_by_first(function: Callable[[], Any]) -> Any:
    """The result of a function that only the first process calls, on every process.

    Args:
        function: gives what JSON can hold.

    Raises:
        UserError: the first process had one; every process has it then.
    """
    if world_size() == 1:
        return function()
    if rank() != FIRST:
        answer = send(None)
        if "error" in answer:
            raise UserError(answer["error"])
        return answer["result"]
    try:
        answer = {"result": function()}
    except UserError as error:
        send({"error": str(error)})
        raise
    return send(answer)["result"]


def first_then_others(function: Callable[[], object]) -> None:
    """Calls a function on every process, on the first alone before: it leaves files that the others then find.

    Raises:
        UserError: the first process had one, and so has every process; or this one had.
    """

    def alone() -> None:
        function()

    done_by_first(alone)
    if rank() != FIRST:
        function()


def gather_to_first(part: Tensor, block: int = 1 << 16) -> Tensor:
    """The rows of all processes on the first, those of each behind one another; none on the others.

    Blocks travel one by one, so that besides the result nothing is larger than a block of each process.

    Args:
        part: (N, W) this process's rows, on the CPU; N may differ, and where it is 0, W may too.
        block: most rows that travel at once from each process.
    """
    world = world_size()
    if world == 1:
        return part
    counts = torch.zeros(world, dtype=torch.long)
    counts[rank()] = len(part)
    counts = sum_of(counts)
    width = greatest(part.shape[1] if len(part) else 0)
    here = counts if rank() == FIRST else torch.zeros_like(counts)
    result = part.new_empty((int(here.sum()), width))
    parts = result.split(here.tolist())
    for start in range(0, int(counts.max()), block):
        sent = part.new_zeros((min(block, int(counts.max()) - start), width))
        own = part[start : start + len(sent)]
        if len(own):
            sent[: len(own)] = own
        received = [torch.empty_like(sent) for _ in range(world)] if rank() == FIRST else None
        dist.gather(sent, received, FIRST)
        for whole, piece in zip(parts, received or (), strict=False):
            there = whole[start : start + len(piece)]
            there.copy_(piece[: len(there)])
    return result


def _all_gather(own: Tensor, counts: list[int]) -> Tensor:
    """The rows of all processes, on all of them; ``counts`` says how many each has."""
    padded = own.new_zeros((max(counts), *own.shape[1:]))
    padded[: len(own)] = own
    parts = [torch.empty_like(padded) for _ in counts]
    dist.all_gather(parts, padded)
    return torch.cat([part[:count] for part, count in zip(parts, counts, strict=True)])


class _GatheredWithGradient(torch.autograd.Function):
    """All processes' rows; backwards the sum of all processes' gradients, each taking that of its own rows."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, counts: list[int]) -> Tensor:
        ctx.first, ctx.count = sum(counts[: rank()]), len(own)
        return _all_gather(own, counts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return sum_of(gradient)[ctx.first : ctx.first + ctx.count], None


class _SummedWithGradient(torch.autograd.Function):
    """The sum over the processes; backwards the world size times the gradient."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return sum_of(value)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return gradient * world_size()
