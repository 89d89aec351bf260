"""Trains on 1, 2 and 4 processes in float64, and compares what comes of it.

    python experiments/many_processes.py            # a table, written to experiments/many_processes/table.md

Twenty steps by every pair of sampler and miner and by the losses that mine for themselves, each with a network with
BatchNorm and one without, by SGD and AdamW, on CPU processes that meet by gloo. The table has, for 2 and for 4
processes, the largest difference of a parameter or statistic from that of one process, relative to its norm.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.distributed
import torch.multiprocessing
from torch import Tensor
from watched_training import LOSSES, MINERS, NETWORKS, OPTIMIZERS, Outcome, Setting, train_together

from facenet_lit import gathering
from facenet_lit.run_folder import write_atomically

# Every sampler with every miner that may go with it, and the losses that mine for themselves.
PAIRS = [
    *(("triplets", name, "triplet") for name in MINERS),
    *(("pk", name, "triplet") for name in ("semi_hard", "hard", "all")),
    *(("pk", "semi_hard", name) for name in LOSSES if name != "triplet"),
]
WORLDS = (2, 4)
CLOSE = 1e-10


def relative_differences(one: dict[str, Tensor], other: dict[str, Tensor]) -> dict[str, float]:
    """Of each tensor, the norm of the difference by its own; absolutely where that is below 1e-8."""
    assert set(one) == set(other)
    result = {}
    for name, value in one.items():
        difference, norm = float((value - other[name]).double().norm()), float(value.double().norm())
        result[name] = difference / norm if norm >= 1e-8 else difference
    return result


def every_setting() -> list[Setting]:
    """Every pair of sampler and miner, and the losses that mine, with both networks and both optimisers."""
    choices = itertools.product(PAIRS, NETWORKS, OPTIMIZERS)
    return [Setting(*pair, network, optimizer) for pair, network, optimizer in choices]


def largest_differences(alone: Sequence[Outcome], together: Sequence[Outcome]) -> list[float]:
    """Of each setting, the largest relative difference; infinite where there are not as many steps."""
    return [
        # NaN stays.
        float(torch.tensor(list(relative_differences(one.weights, other.weights).values())).max())
        if len(one.losses) == len(other.losses)
        else float("inf")
        for one, other in zip(alone, together, strict=True)
    ]


def train_all(world: int) -> list[Outcome]:
    """The outcomes of every setting, of the first of so many processes."""
    if world == 1:
        return [train_together(setting) for setting in every_setting()]
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(_train_all_there, args=(world, folder), nprocs=world)
        # Our own, just written.
        outcomes: list[Outcome] = torch.load(f"{folder}/outcomes", weights_only=False)
    return outcomes


def _train_all_there(rank: int, world: int, folder: str) -> None:
    torch.set_num_threads(1)
    meeting = f"file://{folder}/meeting"
    torch.distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=world)
    outcomes = train_all(1)
    if rank == gathering.FIRST:
        torch.save(outcomes, f"{folder}/outcomes")
    torch.distributed.destroy_process_group()


def table(worlds: Sequence[int], differences: Sequence[Sequence[float]]) -> str:
    """A row per setting in Markdown, a column per number of processes."""
    head = ["sampler", "miner", "loss", "network", "optimiser", *(f"{world} processes" for world in worlds)]
    rows = [
        [one.sampler, one.miner, one.loss, one.network, one.optimizer, *(f"{value:.1e}" for value in values)]
        for one, *values in zip(every_setting(), *differences, strict=True)
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def main() -> None:
    """Prints the table, and writes it; ends with 1 where a difference is above 1e-10."""
    alone = train_all(1)
    differences = [largest_differences(alone, train_all(world)) for world in WORLDS]
    told = table(WORLDS, differences)
    write_atomically(Path(__file__).with_suffix("") / "table.md", told + "\n")
    print(told)
    largest = float(torch.tensor(differences).max())
    print(f"largest: {largest:.1e}")
    sys.exit(not largest <= CLOSE)


if __name__ == "__main__":
    main()
