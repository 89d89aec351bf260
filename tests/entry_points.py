"""How tests start the entry points: in this process, or in one of their own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from facenet_lit.callbacks.checkpoints import Checkpoints

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
            code = int(end.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())


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
