"""Looks at a run's embeddings every few steps, logs what it measures, and tells of an illness once."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any, cast

import lightning as L
import torch
from torch import Tensor
from torch.optim import Optimizer

from facenet_lit import gathering
from facenet_lit.batch import Batch
from facenet_lit.callbacks.checkpoints import is_finite
from facenet_lit.callbacks.run_circumstances import circumstances_of
from facenet_lit.errors import check_flag, check_integer
from facenet_lit.health.causes import causes
from facenet_lit.health.diagnosis import Diagnosis, signs_of
from facenet_lit.health.illnesses import OF_A_BATCH, Past, inputs_show, shown_by, shows_gap
from facenet_lit.health.inputs import ENOUGH_IMAGES, inputs_of, pixel_sums
from facenet_lit.health.sums import Sums
from facenet_lit.health.vitals import Vitals, shape_of
from facenet_lit.health.watch import Watch
from facenet_lit.loggers.dashboard import dashboards
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.verification_module import VerificationModule

log = logging.getLogger(__name__)

WHY = ("callbacks.health.stop=true", "the weights are not finite")  # a run ends


class Diverged(Exception):  # noqa: N818 - an end that was asked for is no error
    """Embedding health ended a run whose numbers are not finite."""


class EmbeddingHealth(L.Callback):
    """Measures a batch every few steps, and recognises what goes wrong (:mod:`facenet_lit.health`).

    Of all steps it adds up loss and active triplets, where they are; it fetches them, and looks at up to 256
    embeddings, only when it looks. Of several processes the first looks, at rows of the global batch.

    Args:
        every_steps: steps between two looks.
        stop: an illness ends the run, and its best checkpoint is scored. Where numbers are finite the run validates
            once more; where not, it raises :class:`Diverged`. So does a run whose weights are not finite, ``stop`` or
            not.

    Attributes:
        ended_by: the illness that ended the run, None where none did.
        told: the titles of all that was told of.

    Raises:
        UserError: a setting is out of range.
    """

    def __init__(self, every_steps: int = 10, stop: bool = False) -> None:
        self.every = check_integer("callbacks.health.every_steps", every_steps, 1)
        self.stop = check_flag("callbacks.health.stop", stop)
        self.ended_by: str | None = None
        self.told: list[str] = []
        self._diverged = False
        self._watch, self._past = Watch(), Past()
        self._unmined: list[float] = []  # of the looks since the last validation
        self._gradient_norm: Tensor | None = None
        self._pixels = torch.zeros(3, dtype=torch.float64)
        self._sums = Sums()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Ends a resumed run that had ended."""
        self._sums = Sums()
        trainer.should_stop = trainer.should_stop or self.ended_by is not None

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        """Looks at the pixels of the first batch, or of the first few where batches are small, on all processes."""
        number, few = trainer.fit_loop.total_batch_idx, -(-ENOUGH_IMAGES // batch.global_rows)
        if number >= few:
            return
        module = cast(VerificationModule, pl_module)
        self._pixels = self._pixels + pixel_sums(module.embedder.pixels(batch.images)).cpu()
        if number == few - 1:
            inputs = inputs_of(gathering.sum_of(self._pixels))
            self._note(trainer, module, inputs_show(inputs), ("inputs",), inputs._asdict())

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: Optimizer
    ) -> None:
        """Measures the gradient of the step after which it looks."""
        if (trainer.global_step + 1) % self.every == 0:
            gradients = [weight.grad for weight in pl_module.parameters() if weight.grad is not None]
            self._gradient_norm = torch.nn.utils.get_total_norm(gradients)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Adds the batch up, and looks where it is time."""
        module = cast(VerificationModule, pl_module)
        scored = module.scored
        if scored is None:
            return
        self._sums.add(scored)
        within = (trainer.fit_loop.total_batch_idx + 1) % trainer.accumulate_grad_batches
        if not within and trainer.global_step % self.every == 0:
            self._look(trainer, module)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Tells of a loss that is not finite before the validation fails at it."""
        if trainer.state.fn != "fit":
            return
        if self._sums.batches and not math.isfinite(self._sums.loss):
            self._look(trainer, cast(VerificationModule, pl_module))
        if self._diverged:
            raise Diverged

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Tells of embeddings that are not finite before the validation fails at them: the last step did it."""
        module = cast(VerificationModule, pl_module)
        ill = module.metric("val").rows_not_finite() if trainer.state.fn == "fit" else 0
        if ill:
            self._note(trainer, module, "nan", ("nan",), {"rows_not_finite": ill})
            if self._diverged:
                raise Diverged

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Compares the validation's loss with that of training."""
        module = cast(VerificationModule, pl_module)
        if (
            trainer.state.fn != "fit" or module.triplet_loss.soft_margin
        ):  # whose losses are not told in margins
            return
        training = fmean(self._unmined) if self._unmined else None
        validation, margin = module.figures.get("val/loss"), module.triplet_loss.margin
        self._unmined = []
        if training is None or validation is None:  # no look since the last validation: the next one tells
            self._note(trainer, module, None, (), {})
            return
        shown = "gap" if shows_gap(training, validation, margin) else None
        signs = {"training_loss": training, "validation_loss": validation, "margin": margin}
        self._note(trainer, module, shown, ("gap",), signs)

    def state_dict(self) -> dict[str, Any]:
        """What it remembers, as plain values."""
        return {
            "watch": self._watch.state(),
            "past": vars(self._past).copy(),
            "unmined": list(self._unmined),
            "ended_by": self.ended_by,
            "told": list(self.told),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on with what it remembered."""
        self._watch.take(state_dict["watch"])
        self._past = Past(**state_dict["past"])
        self._unmined, self.ended_by = list(state_dict["unmined"]), state_dict["ended_by"]
        self.told = list(state_dict["told"])

    def _look(self, trainer: L.Trainer, module: VerificationModule) -> None:
        """Measures, logs, and judges; the first process does it."""
        sums, self._sums = self._sums, Sums()
        if gathering.rank() != gathering.FIRST:
            self._note(trainer, module, None, (), {})
            return
        vitals = self._vitals(trainer, module, sums)
        figures = vitals.figures()
        for logger in trainer.loggers:
            logger.log_metrics(figures, step=trainer.global_step)
        shown = shown_by(vitals, self._past, _hinge_margin(module))
        signs = {name.removeprefix("health/"): value for name, value in figures.items()}
        signs |= {"first_loss": self._past.first_loss, "margin": module.triplet_loss.margin}
        signs |= {} if vitals.shape is None else {"room": float(vitals.shape.room)}
        self._past.add(vitals)
        if vitals.shape is not None and vitals.shape.unmined_loss is not None:
            self._unmined.append(vitals.shape.unmined_loss)
        self._note(trainer, module, shown, OF_A_BATCH, signs)

    def _vitals(self, trainer: L.Trainer, module: VerificationModule, sums: Sums) -> Vitals:
        assert module.scored is not None  # there was a batch
        settings = module.triplet_loss
        norm = math.nan if self._gradient_norm is None else float(self._gradient_norm)
        return Vitals(
            trainer.global_step,
            sums.loss,
            sums.active_share,
            norm,
            sums.least_spread,
            shape_of(module.scored.rows, settings.margin, settings.squared),
        )

    def _note(
        self,
        trainer: L.Trainer,
        module: VerificationModule,
        shown: str | None,
        among: Iterable[str],
        figures: Mapping[str, float],
    ) -> None:
        """Tells of an illness where it is time, and ends the run where that is asked for, on all processes."""
        first = gathering.rank() == gathering.FIRST
        told = self._watch.note(shown, among) if first else None
        if told is not None:
            found = causes(told, circumstances_of(module, trainer.optimizers, trainer.gradient_clip_val))
            self._tell(trainer, Diagnosis(told, trainer.global_step, signs_of(told, figures), found))
        dead = first and shown == "nan" and not is_finite(module)
        ends = gathering.done_by_first(lambda: [dead, "nan" if dead else told if self.stop else None])
        if ends[1] is not None:
            self._end(trainer, ends[1], WHY[ends[0]])

    def _tell(self, trainer: L.Trainer, diagnosis: Diagnosis) -> None:
        log.warning("%s", diagnosis.text())
        self.told.append(diagnosis.title)
        for logger in dashboards(trainer.loggers):
            logger.show_text(f"health/{diagnosis.illness}", diagnosis.markdown(), trainer.global_step)

    def _end(self, trainer: L.Trainer, illness: str, why: str) -> None:
        self.ended_by, trainer.should_stop = self.ended_by or illness, True
        self._diverged = illness == "nan"
        log.info("%s: the run ends, and its best checkpoint is scored, if there is one", why)


def _hinge_margin(module: VerificationModule) -> float | None:
    """The margin of a loss that is a mean of hinges, None of another."""
    hinges = isinstance(module.loss, TripletLoss | SemiHardMeanLoss) and not module.triplet_loss.soft_margin
    return module.triplet_loss.margin if hinges else None


def ended_by(callbacks: Iterable[L.Callback]) -> str | None:
    """The illness that ended the run of these callbacks, None where none did."""
    found = (callback.ended_by for callback in callbacks if isinstance(callback, EmbeddingHealth))
    return next(filter(None, found), None)


def told_of(callbacks: Iterable[L.Callback]) -> list[str]:
    """What the embedding health of these callbacks told of, a title each."""
    return [
        title for callback in callbacks if isinstance(callback, EmbeddingHealth) for title in callback.told
    ]
