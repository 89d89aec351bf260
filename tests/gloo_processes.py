"""Real processes, forked where starting one costs seconds; those that meet by gloo are kept for the next test."""

import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing

MOST = 4


class Processes:
    """Up to four processes that call a function together, each getting the same arguments."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.meetings = 0
        both = [started(_obey, rank) for rank in range(MOST)]
        self.members, self.ends = [member for member, _ in both], [end for _, end in both]

    def __call__(self, world: int, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """The function's results, one of each process."""
        self.meetings += 1
        meeting = f"file://{self.folder.name}/{self.meetings}"
        for end in self.ends[:world]:
            end.send((world, meeting, function, arguments))
        answers = [end.recv() for end in self.ends[:world]]
        errors = [error for _, error in answers if error is not None]
        assert not errors, "\n".join(errors)
        return [result for result, _ in answers]

    def close(self) -> None:
        """Ends them."""
        for member in self.members:
            member.kill()
            member.join()
        self.folder.cleanup()


def started(function: Callable[..., None], *arguments: object) -> tuple[BaseProcess, Connection]:
    """A process that calls a function with one end of a pipe and the arguments, and the other end.

    It is forked off one that has imported all this and done nothing with it.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["facenet_lit.train"])
    end, other = context.Pipe()
    process = context.Process(target=function, args=(other, *arguments), daemon=True)
    process.start()
    other.close()
    return process, end


@contextmanager
def alone_or_together(rank: int, world: int, meeting: str) -> Iterator[None]:
    """A process group, where there is more than one."""
    if world > 1:
        dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=world)
    try:
        yield
    finally:
        if world > 1:
            dist.destroy_process_group()


def _obey(end: Connection, rank: int) -> None:
    torch.set_num_threads(1)
    while True:
        world, meeting, function, arguments = end.recv()
        try:
            with alone_or_together(rank, world, meeting):
                end.send((function(*arguments), None))
        except BaseException:
            end.send((None, f"process {rank} of {world}: {traceback.format_exc()}"))
