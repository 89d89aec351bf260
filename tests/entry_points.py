"""How tests start the entry points: in this process, or in one of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

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
]
TINY = [*SETTINGS, *NETWORK]


class Ended(NamedTuple):
    """How an entry point ended: its exit code, and what it printed."""

    code: int
    out: str
    err: str


class Entry:
    """Starts an entry point in this process, as ``python -m`` would.

    Args:
        monkeypatch: sets the arguments, and gives them back.
        capfd: what is printed.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch = monkeypatch
        self.capfd = capfd

    def __call__(self, main: Callable[[], None], *arguments: str) -> Ended:
        self.monkeypatch.setattr(sys, "argv", ["entry", *arguments])
        self.capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        return Ended(code, *self.capfd.readouterr())


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
