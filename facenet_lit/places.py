"""Where a process stands among those that were started with it, as its environment says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from facenet_lit.errors import UserError

MEETING = "FACENET_LIT_MEETING"  # a file's name: where processes that we start meet


@dataclass(frozen=True)
class Place:
    """Where a process stands among those that were started with it.

    Attributes:
        rank: its number, from 0.
        world: number of processes.
        local_rank: its number on this machine.
        local_world: number of processes on this machine.
        node: number of this machine.
        meeting: where they meet, as torch.distributed takes it: ``tcp://host:port`` or ``file://path``.
    """

    rank: int
    world: int
    local_rank: int
    local_world: int
    node: int
    meeting: str


def place_of(environment: Mapping[str, str]) -> Place | None:
    """Where the environment says that a process stands; None for a process by itself.

    Read are the variables of torchrun, which those that we start have too, and those of a step of Slurm's srun.

    Raises:
        UserError: they are incomplete.
    """
    try:
        if int(environment.get("WORLD_SIZE", "1")) > 1:
            return _of_torchrun(environment)
        if int(environment.get("SLURM_STEP_NUM_TASKS", "1")) > 1:
            return _of_slurm(environment)
    except KeyError as missing:
        raise UserError(
            f"{missing.args[0]}: not set, though WORLD_SIZE or SLURM_STEP_NUM_TASKS says that there are several "
            "processes; start them by torchrun or srun, or unset those"
        ) from None
    except ValueError as error:
        raise UserError(f"WORLD_SIZE and what goes with it: expected integers ({error})") from None
    return None


def _of_torchrun(environment: Mapping[str, str]) -> Place:
    world = int(environment["WORLD_SIZE"])
    meeting = environment.get(MEETING)
    if meeting is None:
        meeting = f"tcp://{environment['MASTER_ADDR']}:{int(environment['MASTER_PORT'])}"
        if environment.get("TORCHELASTIC_USE_AGENT_STORE") == "True":
            meeting = "env://"  # the port is taken by torchrun itself
    local_world = int(environment.get("LOCAL_WORLD_SIZE", world))
    return Place(
        int(environment["RANK"]),
        world,
        int(environment["LOCAL_RANK"]),
        local_world,
        int(environment.get("GROUP_RANK", "0")),
        meeting,
    )


def _of_slurm(environment: Mapping[str, str]) -> Place:
    world, nodes = int(environment["SLURM_STEP_NUM_TASKS"]), int(environment.get("SLURM_STEP_NUM_NODES", "1"))
    if world % nodes:
        raise UserError(
            f"SLURM_STEP_NUM_TASKS={world}: expected as many on each of {nodes} nodes; say --ntasks-per-node"
        )
    host = environment.get("MASTER_ADDR") or first_host(environment["SLURM_STEP_NODELIST"])
    port = environment.get("MASTER_PORT") or _port(environment)
    return Place(
        int(environment["SLURM_PROCID"]),
        world,
        int(environment["SLURM_LOCALID"]),
        world // nodes,
        int(environment["SLURM_NODEID"]),
        f"tcp://{host}:{int(port)}",
    )


def _port(environment: Mapping[str, str]) -> int:
    """A port that differs between the steps of a job and between jobs, below those that systems hand out."""
    return (
        15000 + (31 * int(environment["SLURM_JOB_ID"]) + int(environment.get("SLURM_STEP_ID", "0"))) % 17000
    )


def first_host(hosts: str) -> str:
    """The first of a list as Slurm writes it: ``a[03-05,9],b1`` gives ``a03``."""
    return re.sub(r"\[(\w+)[^\]]*\]", r"\1", hosts).split(",")[0]
