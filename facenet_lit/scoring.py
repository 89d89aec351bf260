"""Scores the best checkpoint of a run that has spent its budget."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import lightning as L

from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.verification_module import VerificationModule

log = logging.getLogger(__name__)


def score_best(
    trainer: L.Trainer, module: VerificationModule, data: FaceDataModule, best: Path, test: bool
) -> dict[str, float | None]:
    """Figures of the best checkpoint on ``val`` and, where ``test`` is said, on ``test``.

    Ctrl-C and SIGTERM end the process at once, with the signal's code.
    """
    module.figures = {}
    with _stopping_at_once():
        trainer.validate(module, datamodule=data, ckpt_path=best, verbose=False, weights_only=True)
        if test:
            trainer.test(module, datamodule=data, ckpt_path=best, verbose=False, weights_only=True)
    return dict(module.figures)


@contextmanager
def _stopping_at_once() -> Iterator[None]:
    """Tells a signal in a line: Lightning would make of Ctrl-C a silent exit with code 1."""
    here = os.getpid()

    def stop(signum: int, frame: FrameType | None) -> None:
        if os.getpid() == here:  # worker processes have this handler too
            name = signal.Signals(signum).name
            log.info("stopped by %s while the best checkpoint was scored; resume=auto scores it", name)
        sys.exit(128 + signum)

    handlers = {signum: signal.signal(signum, stop) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
