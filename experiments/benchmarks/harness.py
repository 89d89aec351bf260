"""One row of the benchmark: a piece of work done our way, the usual way, and as fast as the machine could.

A module of rows has a function ``rows() -> list[Row]``, which makes no inputs, and imports this as
``from benchmarks.harness import Row`` (``experiments`` is on the path of bench.py and of the tests). The three are
compared before they are timed, and take turns on one thread, each in a process of its own, which makes the inputs and
tells the memory that the side takes on top. All run as Python starts them, but for our side of rows that are named so:
it keeps freed memory, as training does.
"""

from __future__ import annotations

import importlib
import multiprocessing
import statistics
import time
from collections.abc import Callable, Container, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import cv2
import torch
from threadpoolctl import threadpool_limits

import facenet_lit  # noqa: F401  # before anything that imports torchvision
from facenet_lit.kept_memory import keep_freed_memory

LEAST = 5  # so many times at least
LONG_ENOUGH = 2.0  # seconds of turns, after which there are no more than that
MIB = 2**20
IMPORTED = [
    "facenet_lit.data.datamodule",
    "sklearn.metrics",
    "pytorch_metric_learning.miners",
]  # take seconds
STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Row:
    """A piece of work; the callables do it once, on inputs that were made before.

    Attributes:
        work: what is done, on how much; a module's rows differ in it.
        ours: by this package.
        peer: the usual way.
        bound: the least of the work, at the machine's speed; its name says what it does.
        check: raises AssertionError where ours and the peer don't agree.
        peer_name: of the usual way.
        bound_name: of the bound.
        slow_peer: the peer takes many seconds, and is timed once.
        peer_share: the peer does one of so many equal parts, and its seconds and memory count so many times.
        inputs: makes and keeps them; untimed, in the process of a side.
        keeps_memory: our side keeps freed memory, as training does; its name says so.
    """

    work: str
    ours: Callable[[], object]
    peer: Callable[[], object] | None
    bound: Callable[[], object] | None
    check: Callable[[], None]
    peer_name: str
    bound_name: str
    slow_peer: bool = False
    peer_share: int = 1
    inputs: Callable[[], object] = _nothing
    keeps_memory: bool = False


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
    """Checks a row, then takes times and memory of its sides, each in a process of its own.

    Args:
        module: whose ``rows()`` have this one, for those processes.
        row: what to measure.
    """
    one_thread()
    row.check()
    with ExitStack() as stack:
        sides = {
            side: partial(_done, stack.enter_context(fresh_process()), module, row.work, side)
            for side in ("ours", "peer", "bound")
            if getattr(row, side)
        }
        once = {"peer"} if row.slow_peer else set()
        seconds, memory = taking_turns(sides, once)
    for told in (seconds, memory):
        if "peer" in told:
            told["peer"] *= row.peer_share
    return Measured(
        row.work,
        seconds["ours"],
        seconds.get("peer"),
        seconds.get("bound"),
        memory["ours"],
        memory.get("peer"),
        row.peer_name,
        row.bound_name,
    )


def one_thread() -> None:
    """From here on torch, NumPy and OpenCV compute with one thread."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    threadpool_limits(1)


def taking_turns(
    works: Mapping[str, Callable[[], tuple[float, float]]], once: Container[str] = ()
) -> tuple[dict[str, float], dict[str, float]]:
    """All in turn, five times or until they took some seconds; those of ``once`` in the first round alone.

    Args:
        works: each tells its seconds and its memory.
        once: names of those that take long.

    Returns:
        Median seconds and most memory of each.
    """
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    spent = 0.0
    rounds = 0
    while rounds < LEAST or (spent < LONG_ENOUGH and rounds < 100):
        for name, work in works.items():
            if rounds == 0 or name not in once:
                taken[name].append(work())
                spent += taken[name][-1][0]
        rounds += 1
    seconds, memory = (
        {name: kind([told[at] for told in all_told]) for name, all_told in taken.items()}
        for at, kind in enumerate((statistics.median, max))
    )
    return seconds, memory


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def fresh_process() -> ProcessPoolExecutor:
    """One that has imported what takes seconds, and done nothing with it."""
    context = multiprocessing.get_context("forkserver")  # imports once, computes nothing
    context.set_forkserver_preload(IMPORTED)
    return ProcessPoolExecutor(1, mp_context=context)


def _done(process: ProcessPoolExecutor, module: str, work: str, side: str) -> tuple[float, float]:
    """Seconds and MiB of one side of a row, in a process that makes the inputs at first."""
    return process.submit(_here, module, work, side).result()


def _here(module: str, work: str, side: str) -> tuple[float, float]:
    return seconds_and_memory(_side(module, work, side))


@cache
def _side(module: str, work: str, side: str) -> Callable[[], object]:
    one_thread()
    (row,) = (row for row in importlib.import_module(module).rows() if row.work == work)
    row.inputs()
    if side == "ours" and row.keeps_memory:
        keep_freed_memory()
    work_of_side: Callable[[], object] = getattr(row, side)
    return work_of_side


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
