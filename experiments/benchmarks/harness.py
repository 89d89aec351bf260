"""One row of the benchmark: a piece of work done our way, the usual way, and as fast as the machine could.

A module of rows has a function ``rows() -> list[Row]``, which makes the inputs, and imports this as
``from benchmarks.harness import Row`` (``experiments`` is on the path of bench.py and of the tests). The three are
compared before they are timed, take turns on one thread, and tell the memory that they take in a process of their own.
"""

from __future__ import annotations

import importlib
import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
from threadpoolctl import threadpool_limits

import facenet_lit  # noqa: F401  # before anything that imports torchvision

LEAST = 5  # so many times at least
LONG_ENOUGH = 2.0  # seconds of turns, after which there are no more than that
MIB = 2**20
STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Row:
    """A piece of work; the callables do it once, on inputs that were made outside.

    Attributes:
        work: what is done, on how much; a module's rows differ in it.
        ours: by this package.
        peer: the usual way.
        bound: the least of the work, at the machine's speed; its name says what it does.
        check: raises AssertionError where ours and the peer don't agree.
        peer_name: of the usual way.
        bound_name: of the bound.
        slow_peer: the peer takes many seconds, and is timed once.
    """

    work: str
    ours: Callable[[], object]
    peer: Callable[[], object] | None
    bound: Callable[[], object] | None
    check: Callable[[], None]
    peer_name: str
    bound_name: str
    slow_peer: bool = False


@dataclass(frozen=True)
class Measured:
    """What a row took: median seconds, and the most memory in MiB above what there was before."""

    work: str
    ours: float
    peer: float | None
    bound: float | None
    ours_memory: float
    peer_memory: float | None
    peer_name: str
    bound_name: str


def measure(module: str, row: Row) -> Measured:
    """Checks a row, then takes its times and its memory.

    Args:
        module: whose ``rows()`` have this one, for the processes that memory is measured in.
        row: what to measure.
    """
    one_thread()
    row.check()
    sides = {"ours": row.ours, "peer": None if row.slow_peer else row.peer, "bound": row.bound}
    seconds = taking_turns({name: work for name, work in sides.items() if work})
    alone = {side: in_own_process(module, row.work, side) for side in ("ours", "peer") if getattr(row, side)}
    if row.slow_peer:
        seconds["peer"] = alone["peer"][0]
    return Measured(
        row.work,
        seconds["ours"],
        seconds.get("peer"),
        seconds.get("bound"),
        alone["ours"][1],
        alone["peer"][1] if row.peer else None,
        row.peer_name,
        row.bound_name,
    )


def one_thread() -> None:
    """From here on torch, NumPy and OpenCV compute with one thread."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    threadpool_limits(1)


def taking_turns(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median seconds of each: all in turn, five times or until they took some seconds."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    start = time.perf_counter()
    rounds = 0
    while rounds < LEAST or (time.perf_counter() - start < LONG_ENOUGH and rounds < 100):
        for name, work in works.items():
            taken[name].append(timed(work))
        rounds += 1
    return {name: statistics.median(times) for name, times in taken.items()}


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_own_process(module: str, work: str, side: str) -> tuple[float, float]:
    """Seconds and MiB of one side of a row, once, in a fresh process that has made the inputs."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        return processes.submit(_alone, module, work, side).result()


def _alone(module: str, work: str, side: str) -> tuple[float, float]:
    one_thread()
    (row,) = (row for row in importlib.import_module(module).rows() if row.work == work)
    return seconds_and_memory(getattr(row, side))


def seconds_and_memory(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds that it takes once, and by how many MiB the process's peak of memory rises.

    Worker processes that it starts are not counted. Linux only.
    """
    FORGET.write_text("5")  # an earlier peak, such as that of making the inputs
    before = peak_memory()
    seconds = timed(work)
    return seconds, (peak_memory() - before) / MIB


def peak_memory() -> int:
    """The most memory that this process has had, in bytes."""
    # Not getrusage's: on Linux that starts with what the process that started this one held.
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
