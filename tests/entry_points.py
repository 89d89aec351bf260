"""How tests start the entry points: in this process, or in one of their own."""

from __future__ import annotations

import copy
import io
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import open_dict

from facenet_lit import command_line, train
from facenet_lit.callbacks.checkpoints import Checkpoints
from facenet_lit.command_line import Completion, Job, user_error
from facenet_lit.composing import Composer, one_line
from facenet_lit.config_dir import config_dir

# A run of about a second: 4 batches an epoch, a network of two small blocks.
NETWORK = [
    "model.arguments.depths=[1,1]",
    "model.arguments.cardinality=2",
    "model.arguments.group_width=4",
    "model.arguments.width=8",
    "model.arguments.expansion=2",
    "model.embedding_size=16",
]
SETTINGS = [
    "data.identities=30",
    "data.images=3",
    "data.batch_size=36",
    "trainer.steps=4",
    "trainer.minutes=null",
    "trainer.precision=32",
    "trainer.val_every_steps=2",
    "trainer.log_every_steps=1",
    # Pictures take longer than the run; the tests of the dashboard have them.
    "callbacks.curves.share=0",
    "callbacks.errors.share=0",
    "callbacks.projector.images=0",
]
TINY = [*SETTINGS, *NETWORK]


class Ended(NamedTuple):
    """How an entry point ended: its exit code, and what it printed."""

    code: int
    out: str
    err: str


def call(main: Callable[[], None], *arguments: str) -> Ended:
    """Starts an entry point in this process, as ``python -m`` would."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["entry", *arguments])
        try:
            main()
        except SystemExit as end:
            code = 1 if isinstance(end.code, str) else int(end.code or 0)
            if isinstance(end.code, str):  # what the interpreter prints before it ends
                print(end.code, file=sys.stderr)
    return Ended(code, out.getvalue(), err.getvalue())


def run_script(file: Path, *arguments: object) -> Ended:
    """Starts a script in this process, as ``python FILE`` would."""
    return call(lambda: runpy.run_path(str(file), run_name="__main__"), *map(str, arguments))


def begin(job: Job, *overrides: str, multirun: bool = False) -> Ended:
    """A job as Hydra begins it behind an entry point's checks, which compose its config twice more: half the cost of
    a tiny run. Whether the command line is right, and which folder is gone on with, :func:`call` has looked at.
    """

    def hand_over() -> None:
        GlobalHydra.instance().clear()
        hydra = Hydra.create_main_hydra2(job.__name__, create_config_search_path(str(config_dir())))
        guarded = command_line._guarded(job, command_line._Outcome())
        try:
            if multirun:
                hydra.multirun(job.__name__, guarded, [*overrides, "hydra.mode=MULTIRUN"])
            else:
                hydra.run(job.__name__, guarded, [*overrides, "hydra.mode=RUN"])
        finally:
            GlobalHydra.instance().clear()

    return call(hand_over)


def refused(
    folder: Path, *overrides: str, job: Job = train.train, completed: Completion = lambda said: []
) -> str:
    """What a job is refused with: completed, composed, checked and begun as ``python -m`` does, which composes it
    twice more and tells it in a line behind ``error: ``.
    """
    with pytest.raises(Exception) as caught:  # noqa: PT011
        _begun(folder, [*completed(overrides), *overrides], job)
    cause = user_error(caught.value)
    if cause is None:
        raise caught.value
    return one_line(cause)


def _begun(folder: Path, overrides: Sequence[str], job: Job) -> None:
    composer = Composer(config_dir(), job.__name__)
    hydras = composer.compose(overrides)
    composer.check_keys(hydras)
    with open_dict(hydras):
        hydras.hydra.runtime.output_dir = str(folder)
    config = copy.deepcopy(hydras)
    with open_dict(config):
        del config["hydra"]
    HydraConfig.instance().set_config(hydras)
    job(config)


def process(arguments: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    """``python -m facenet_lit.train`` in a process of its own, started in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "facenet_lit.train", *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def stop_at(monkeypatch: pytest.MonkeyPatch, hook: str, step: int, signum: int) -> None:
    """Sends this process a signal in the middle of a step, or of a validation."""
    original = getattr(Checkpoints, hook)

    def stopping(self: Checkpoints, trainer: object, *arguments: object) -> None:
        if trainer.global_step == step:
            os.kill(os.getpid(), signum)
            time.sleep(0.01)  # the interpreter takes it between two instructions
        original(self, trainer, *arguments)

    monkeypatch.setattr(Checkpoints, hook, stopping)
