"""The processes of a run: how the others are started, and how the first leads them."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import torch
import torch.distributed as dist

from facenet_lit import gathering
from facenet_lit.errors import UserError
from facenet_lit.places import MEETING, Place

TO_MEET = timedelta(minutes=15)
# The first process may decode pictures for hours while the others wait; who dies is noticed by its connection.
PATIENCE = timedelta(days=2)
SECONDS_TO_END = 5.0  # that the others have when the first is through
SECONDS_TO_TELL = 3.0  # that the first has to tell of an error which others have too

SIGNALLED = 128  # exit codes of processes that a signal ended are above it

_at_work = threading.Event()  # whether the others do what they were told, or wait for a word

LOST = re.compile("gloo|[Cc]onnection|peer")  # in what collectives say when a process has gone


def join(place: Place) -> None:
    """Meets the other processes; waits for them a while.

    What is said on the CPU may be waited for much longer than for the meeting, as while the first decodes pictures.
    """
    several = torch.cuda.is_available() and dist.is_nccl_available()
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if several else "gloo",
        init_method=place.meeting,
        rank=place.rank,
        world_size=place.world,
        timeout=TO_MEET,
    )
    cpu = torch.device("cpu")
    dist.distributed_c10d._get_default_group()._get_backend(cpu)._set_default_timeout(PATIENCE)


@contextmanager
def crew(devices: int, place: Place | None) -> Iterator[Place | None]:
    """The processes of a run, started where nobody else has started them; the first process calls this.

    Args:
        devices: processes wanted on this machine.
        place: where this process stands, if it was started with others, whom it leads already.

    Raises:
        UserError: others were started, but not as many as wanted.
    """
    if place is not None:
        if devices != place.local_world:
            raise UserError(
                f"trainer.devices={devices}: {place.local_world} processes were started on this machine; "
                f"say trainer.devices={place.local_world}"
            )
        if not dist.is_initialized():
            raise UserError(
                "a launcher of jobs started several processes for one; say hydra.launcher.tasks_per_node=1"
            )
        yield place
    elif devices == 1:
        yield None
    else:
        with tempfile.TemporaryDirectory(prefix="facenet_lit_") as folder:
            place = Place(0, devices, 0, devices, 0, f"file://{folder}/meeting")
            with _started(place), leading(place):
                yield place


@contextmanager
def leading(place: Place) -> Iterator[None]:
    """Meets the others, and dismisses them at the end, if they wait for a word.

    Where they don't, they do what this one failed at, or was stopped in: they have failed too, or find it gone.
    """
    join(place)
    try:
        yield
    finally:
        if not _at_work.is_set():
            dismiss()
        _at_work.clear()
        dist.destroy_process_group()


@contextmanager
def _started(place: Place) -> Iterator[None]:
    """Starts the others, and leaves none behind, however the run ends; none of them ends before the first."""
    threads = torch.get_num_threads()
    share = max(1, threads // place.world)
    command = [sys.executable, "-m", "facenet_lit.train"]
    ends = signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(SIGNALLED + signum))
    others = [
        subprocess.Popen(command, env=_environment(place, rank, share)) for rank in range(1, place.world)
    ]
    over = threading.Event()
    threading.Thread(target=_watch, args=(others, over), daemon=True).start()
    patience = 0.0
    try:
        torch.set_num_threads(share)
        yield
        patience = SECONDS_TO_END
    except RuntimeError as error:
        time.sleep(0.5)  # a connection is lost before its process has ended
        lost = _lost(others)
        if lost is None:
            raise
        raise UserError(f"{lost}; resume=auto goes on from its checkpoint") from error
    except SystemExit:  # a signal stops all of them
        patience = SECONDS_TO_END
        raise
    finally:
        over.set()
        signal.signal(signal.SIGTERM, ends)
        torch.set_num_threads(threads)
        _end(others, patience)


def _watch(others: list[subprocess.Popen[bytes]], over: threading.Event) -> None:
    """Ends the run where another process has ended before it: nobody would answer the first any more."""
    while not over.wait(1.0):
        # Where all are stopped, or fail, the first is at it too.
        if _lost(others) and not over.wait(SECONDS_TO_END):
            print(f"error: {_lost(others)}", file=sys.stderr, flush=True)
            _end(others, 0.0)
            os._exit(1)


def _lost(others: list[subprocess.Popen[bytes]]) -> str | None:
    """What became of a process that has ended, None where none has."""
    for rank, process in enumerate(others, 1):
        if process.poll() is not None:
            return f"process {rank} of this run has ended, with code {process.returncode}"
    return None


def _environment(place: Place, rank: int, threads: int) -> dict[str, str]:
    """The variables that say to another process on this machine where it stands."""
    return {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(place.world),
        "LOCAL_WORLD_SIZE": str(place.local_world),
        MEETING: place.meeting,
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")])
        ),
    }


def _end(others: list[subprocess.Popen[bytes]], patience: float) -> None:
    """Waits for the others so many seconds, then ends them."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and any(process.poll() is None for process in others):
        time.sleep(0.02)
    for process in others:
        process.kill()
    for process in others:
        process.wait()


@contextmanager
def lead(job: Mapping[str, Any]) -> Iterator[None]:
    """Tells the others, who wait in :func:`follow`, what to do, while this first process does it too."""
    gathering.send({"job": dict(job)})
    _at_work.set()
    yield
    _at_work.clear()


def dismiss() -> None:
    """Tells the others that nothing is left to do."""
    gathering.send({"job": None})


def follow(place: Place, work: Callable[[Any, Place], object]) -> NoReturn:
    """Does what the first process says, until it is through; every other process calls this.

    It is quiet: what is to be told, the first process tells. Signals are the first process's matter as well:
    it gets them too, and stops all.

    Args:
        place: where this process stands.
        work: does a job; a user error in it ends the process, and so the run.
    """
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_IGN)
    logging.disable(logging.WARNING)
    warnings.filterwarnings("ignore")
    try:
        if not dist.is_initialized():
            join(place)
        while (message := gathering.send(None))["job"] is not None:
            work(message["job"], place)
    except UserError as error:
        time.sleep(SECONDS_TO_TELL)  # one that the first has too, it tells, and ends this process
        print(f"error: process {place.rank}: {error}", file=sys.stderr)
        sys.exit(2)
    except RuntimeError as error:
        if LOST.search(str(error)):  # the first process is gone, and says why, or was killed
            sys.exit(1)
        raise
    sys.exit(0)
