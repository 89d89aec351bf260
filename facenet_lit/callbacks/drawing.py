"""When pictures of what was just evaluated are drawn, and where they go."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple

import lightning as L
from lightning.pytorch.trainer.states import TrainerFn
from matplotlib.figure import Figure

from facenet_lit import gathering
from facenet_lit.errors import check_number
from facenet_lit.loggers.dashboard import dashboards
from facenet_lit.plots.style import pixels
from facenet_lit.verification_module import VerificationModule

# Under what name what is drawn at a validation of a training run, of its best checkpoint, and at its test.
SECTIONS = {"fit": "val", "validate": "val_best", "test": "test"}
FIRST_GUESS = 0.5  # seconds that the first pictures take


class Moment(NamedTuple):
    """What was evaluated.

    Attributes:
        part: ``val`` or ``test``.
        words: it, for a title: ``val, step 1,200``.
    """

    part: str
    words: str


class DrawingCallback(L.Callback, ABC):
    """Draws at validations while training, and once the best checkpoint is scored on ``val`` and ``test``.

    Of several processes the first draws. The clock of the run's budget stands still meanwhile.

    Args:
        setting: its name in the config, such as ``callbacks.curves``.
        share: greatest share of a run's time, from the start of training, that drawing takes; a validation that
            comes too soon for that goes without. 1 draws at each, 0 not even at the end.

    Raises:
        UserError: it is out of range.
    """

    def __init__(self, setting: str, share: float) -> None:
        self.share = check_number(f"{setting}.share", share, 0, 1)
        self._started = time.perf_counter()
        self._spent = 0.0
        self._expected = FIRST_GUESS
        self._step_loaded = 0

    @abstractmethod
    def figures(
        self, trainer: L.Trainer, module: VerificationModule, moment: Moment
    ) -> Iterator[tuple[str, Figure]]:
        """What there is to draw of the part that was just evaluated: names such as ``roc``, and figures."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """From here on time counts."""
        self._started = time.perf_counter()

    def on_load_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Notes which step the weights are of."""
        self._step_loaded = int(checkpoint["global_step"])

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Draws what was just validated."""
        self._draw(trainer, pl_module, "val")

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Draws what was just tested."""
        self._draw(trainer, pl_module, "test")

    def _draw(self, trainer: L.Trainer, module: L.LightningModule, part: str) -> None:
        shown_in = dashboards(trainer.loggers)
        here = gathering.rank() == gathering.FIRST and bool(shown_in)
        if not here or not isinstance(module, VerificationModule) or not self._is_due(trainer):
            return
        began = time.perf_counter()
        section = SECTIONS[TrainerFn(trainer.state.fn).value]
        for name, figure in self.figures(trainer, module, Moment(part, self._words(trainer, part))):
            picture = pixels(figure)
            for logger in shown_in:
                logger.show_picture(f"{section}/{name}", picture, trainer.global_step)
        self._expected = time.perf_counter() - began
        self._spent += self._expected

    def _is_due(self, trainer: L.Trainer) -> bool:
        if self.share in (0, 1):
            return bool(self.share)
        allowed = self.share * (time.perf_counter() - self._started)
        return trainer.state.fn != "fit" or self._spent + self._expected <= allowed

    def _words(self, trainer: L.Trainer, part: str) -> str:
        if trainer.state.fn == "fit":
            return f"{part}, step {trainer.global_step:,}"
        return f"{part}, best step {self._step_loaded:,}"
