"""The LightningModule: embed, mine, loss, update metrics."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import lightning as L
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from facenet_lit import gathering
from facenet_lit.backbones.chunked_embedding import embed_in_chunks
from facenet_lit.backbones.embedder import Embedder
from facenet_lit.batch import Batch, IntArray, Rows, ScoredBatch
from facenet_lit.checkpoint import ModelCard
from facenet_lit.growth import shrunk
from facenet_lit.losses.loss import Loss, LossSum
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.metrics.bounds import beside, without_bounds
from facenet_lit.metrics.operating_points import best_accuracy_threshold
from facenet_lit.metrics.pair_scoring import score_listed_pairs
from facenet_lit.metrics.rates import accuracy
from facenet_lit.metrics.scored_pairs import ScoredPairs
from facenet_lit.metrics.verification import VerificationMetric
from facenet_lit.mining import Miner

log = logging.getLogger(__name__)

OptimizerFactory = Callable[[Iterable[Any]], Optimizer]  # of parameters, or of groups of them


class VerificationModule(L.LightningModule):
    """Trains an embedder on mined triplets and tells its verification rates.

    Args:
        embedder: (N, 3, H, W) uint8 images to (N, D) unit vectors.
        card: what checkpoints say of it; its threshold is set at each validation.
        metrics: for ``val`` and ``test``, what collects embeddings and tells the figures.
        miner: chooses a batch's triplets, where the loss needs them.
        loss: scores a training batch.
        triplet_loss: scores the fixed triplets of ``val`` and ``test``, told as the mean over all of them: over
            the active ones, as in training, fewer of them would not show.
        optimizer: makes the optimiser from the parameters.
        fixed_triplets: for ``val`` and ``test``, (T, 3) image numbers that the part's loss is told on.
        listed_pairs: for a part with such a list, (P, 2) image numbers that its accuracy is told on.
        backbone_lr: learning rate of the backbone, or None for that of all.
        chunk: rows of a training batch that are embedded at a time, see :func:`embed_in_chunks`; None for all.

    Attributes:
        scored: the last training batch and what it scored; None before the first.
    """

    def __init__(
        self,
        embedder: Embedder,
        card: ModelCard,
        metrics: Mapping[str, VerificationMetric],
        miner: Miner,
        loss: Loss,
        triplet_loss: TripletLoss,
        optimizer: OptimizerFactory,
        fixed_triplets: Mapping[str, IntArray],
        listed_pairs: Mapping[str, IntArray],
        backbone_lr: float | None = None,
        chunk: int | None = None,
    ) -> None:
        super().__init__()
        self.embedder = embedder
        self.card = card
        self.metrics = nn.ModuleDict(dict(metrics))  # so that they move and reset with the module
        self.miner = miner
        self.loss = loss
        self.triplet_loss = triplet_loss
        self.optimizer = optimizer
        self.fixed_triplets = dict(fixed_triplets)
        self.listed_pairs = dict(listed_pairs)
        self.backbone_lr = backbone_lr
        self.chunk = chunk
        self.figures: dict[str, float | None] = {}
        self.training_size: int | None = None
        self.scored: ScoredBatch | None = None

    def forward(self, images: Tensor) -> Tensor:
        """Embeds: (N, 3, H, W) uint8 RGB to (N, D) unit vectors."""
        embeddings: Tensor = self.embedder(images)
        return embeddings

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of a batch."""
        # At every step: a run that is resumed within an epoch does not start that epoch again.
        self.loss.set_epoch(self.current_epoch)
        scored = self.score(batch)
        self.log("train/loss", scored.value, prog_bar=True)
        self.log("train/active_share", scored.active / scored.considered.clamp_min(1), prog_bar=True)
        return scored.value

    def score(self, batch: Batch) -> LossSum:
        """What the global batch scores: embedded, gathered and mined; ``scored`` has it from there."""
        images = batch.images if self.training_size is None else shrunk(batch.images, self.training_size)
        embeddings = embed_in_chunks(self.embedder, images, batch.first, batch.global_rows, self.chunk)
        own = Rows(embeddings, batch.identities, batch.numbers, batch.views)
        rows = gathering.gather_rows(own, batch.global_rows)
        scored: LossSum = self.loss(own, rows, self._mine(own, rows, batch.triplets)).over_processes()
        seen = rows._replace(embeddings=rows.embeddings.detach())
        self.scored = ScoredBatch(seen, scored.value.detach(), scored.active, scored.considered)
        return scored

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Collects embeddings."""
        self._collect("val", batch)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Collects embeddings."""
        self._collect("test", batch)

    def on_validation_epoch_end(self) -> None:
        """Tells the rates, and chooses the threshold that listed pairs are judged at, its own too."""
        self._tell("val")

    def on_test_epoch_end(self) -> None:
        """Tells the rates."""
        self._tell("test")

    def configure_optimizers(self) -> Optimizer:
        """The optimiser of what learns; its rates are set by the training clock."""
        learning = {id(weight): weight for weight in self.parameters() if weight.requires_grad}
        if self.backbone_lr is None:
            return self.optimizer(learning.values())
        backbone = [learning.pop(id(w)) for w in self.embedder.backbone.parameters() if w.requires_grad]
        rest = list(learning.values())
        groups = [{"params": rest}] if rest else []
        return self.optimizer(
            [*groups, *([{"params": backbone, "lr": self.backbone_lr}] if backbone else [])]
        )

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Limits the norm of the gradient, in bfloat16 too, where Lightning's own way refuses fused optimisers."""
        if gradient_clip_val is not None:
            nn.utils.clip_grad_norm_(self.parameters(), gradient_clip_val)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Puts the card in."""
        self.card.save(checkpoint)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes the threshold over."""
        self.card.threshold = checkpoint["facenet_lit"]["threshold"]

    def metric(self, part: str) -> VerificationMetric:
        """What collects a part's embeddings and tells its figures."""
        return cast(VerificationMetric, self.metrics[part])

    def scored_pairs(self, part: str) -> ScoredPairs | None:
        """All pairs of a part as last evaluated."""
        return self.metric(part).pairs

    def bounds_of(self, part: str) -> dict[str, float | None]:
        """The bounds of a part's rates over all pairs, as last evaluated, without the part in front of their names."""
        start = f"{part}/"
        return {
            name.removeprefix(start): value
            for name, value in self.figures.items()
            if name.startswith(start) and without_bounds(name) != name
        }

    def _mine(self, own: Rows, rows: Rows, given: Tensor | None) -> Tensor:
        """(T, 3) the triplets of this process's anchors; none where the loss needs none."""
        if not self.loss.needs_triplets:
            return rows.numbers.new_empty((0, 3))
        return self.miner(own, rows, given)

    def _collect(self, part: str, batch: Batch) -> None:
        self.metric(part).update(self(batch.images), batch.identities, batch.numbers)

    def _tell(self, part: str) -> None:
        """Scores a part: the first process computes, and tells the others."""
        metric = self.metric(part)
        figures = {**metric.compute(), **gathering.done_by_first(lambda: self._more_figures(part))}
        if part == "val":
            self.card.threshold = figures.pop("threshold")
        figures = beside(figures, gathering.done_by_first(lambda: self._bounds(part, figures)))
        self.figures.update({f"{part}/{name}": value for name, value in figures.items()})
        known = {f"{part}/{name}": value for name, value in figures.items() if value is not None}
        # Scored again after the run, the best checkpoint would put a last point on the curves of val.
        self.log_dict(known, logger=self.trainer.state.fn != "validate")
        if self.trainer.state.fn == "fit":
            # Where they stand on the axis: Lightning's own count is one short of the steps done.
            self.log("step", float(self.trainer.global_step))
        metric.reset()

    def _more_figures(self, part: str) -> dict[str, float | None]:
        """What else is told of the rows and pairs that the metric of a part has; of ``val`` its threshold too."""
        metric = self.metric(part)
        rows, pairs = metric.collected(), cast(ScoredPairs, metric.pairs)
        chosen = {"threshold": best_accuracy_threshold(pairs)} if part == "val" else {}
        figures: dict[str, float | None] = {"loss": self._loss_of(rows, self.fixed_triplets[part])}
        threshold = chosen.get("threshold", self.card.threshold)
        if part in self.listed_pairs and threshold is not None:
            listed = score_listed_pairs(*rows[:3], self.listed_pairs[part])
            figures["accuracy"] = accuracy(listed, threshold)
        return {**figures, **chosen}

    def _bounds(self, part: str, figures: Mapping[str, float | None]) -> dict[str, float]:
        """The bounds of a part's figures; those of final ones with a word on what to know of them."""
        metric, training = self.metric(part), self.trainer.state.fn == "fit"
        found = [metric.bounded(figures, training)]
        if figures.get("accuracy") is not None:
            listed, told = self.listed_pairs[part], {"accuracy": figures["accuracy"]}
            found.append(metric.bounded(told, training, listed, self.card.threshold))
        for warning in dict.fromkeys(line for bounds in found for line in bounds.warnings if not training):
            log.warning("%s: %s", part, warning)
        return {name: value for bounds in found for name, value in bounds.figures.items()}

    def _loss_of(self, rows: Rows, triplets: IntArray) -> float:
        """Mean loss of triplets given by image numbers, inactive ones included."""
        place = torch.searchsorted(rows.numbers, torch.from_numpy(triplets))  # (T, 3), numbers ascend
        scored: LossSum = self.triplet_loss(rows, rows, place)
        return float(scored.total) / max(int(scored.considered), 1)
