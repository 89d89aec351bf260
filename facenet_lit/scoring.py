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
from typing import Any

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
    stop = StopAtOnce()
    trainer.callbacks.append(stop)  # type: ignore[attr-defined]
    with stop.listening():
        trainer.validate(module, datamodule=data, ckpt_path=best, verbose=False, weights_only=True)
        if test:
            trainer.test(module, datamodule=data, ckpt_path=best, verbose=False, weights_only=True)
    return dict(module.figures)


class StopAtOnce(L.Callback):
    """Tells a signal in a line, and ends the process: Lightning would make of Ctrl-C a silent exit with code 1.

    Of SIGTERM it would tell the other processes, who wait for something else: so its handlers give way to these, where
    it has put them in.
    """

    def __init__(self) -> None:
        self._here = os.getpid()

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Takes the signals over."""
        self._take_over()

    def on_test_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Takes the signals over."""
        self._take_over()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes the signals over for a while."""
        handlers = self._take_over()
        try:
            yield
        finally:
            for signum, handler in handlers.items():
                signal.signal(signum, handler)

    def _take_over(self) -> dict[int, Any]:
        """What had them."""
        return {signum: signal.signal(signum, self._stop) for signum in (signal.SIGINT, signal.SIGTERM)}

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        if os.getpid() == self._here:  # worker processes have this handler too
            name = signal.Signals(signum).name
            log.info("stopped by %s while the best checkpoint was scored; resume=auto scores it", name)
        sys.exit(128 + signum)
