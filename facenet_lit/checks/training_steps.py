"""Training steps outside of a run: those of a run, without its loop, schedule and files."""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from lightning.fabric.utilities import move_data_to_device
from torch import Tensor, nn

from facenet_lit.backbones.chunked_embedding import embed_in_chunks
from facenet_lit.batch import Batch, Rows
from facenet_lit.callbacks.seeded_steps import step_seed
from facenet_lit.data.augmentation import Augmentation
from facenet_lit.data.batched_augmentation import BatchedAugmentation
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.verification_module import VerificationModule


class Told(NamedTuple):
    """What a step tells, before it changes the weights.

    Attributes:
        loss: the mean triplet loss over the miner's triplets, those that are met counted as 0; of ``masked`` over
            all drawn ones. The mean over the active ones, which training may take, stays up to the last of them.
        spread: mean distance of two rows' embeddings: 0 where all are one point.
    """

    loss: float
    spread: float


class TrainingSteps:
    """Takes steps with the network, loss, miner and optimiser of a run, its learning rate constant.

    Args:
        module: of the run; its weights are changed.
        precision: ``32``, ``bf16`` or ``64``.
        device: where.
        seed: of what the network draws at random.
        clip: largest norm of the gradient, or None.
    """

    def __init__(
        self,
        module: VerificationModule,
        precision: str,
        device: torch.device,
        seed: int = 0,
        clip: float | None = None,
    ) -> None:
        self.module = module.to(device).train()
        self.bf16 = precision == "bf16"
        self.device = device
        self.seed = seed
        self.clip = clip
        self.optimizer = module.configure_optimizers()
        self.told_by = TripletLoss(module.triplet_loss.margin, module.triplet_loss.squared, "all")
        self.steps = 0
        module.loss.set_epoch(0)

    def step(self, batch: Batch) -> Told:
        """A step on a batch, which is on the device."""
        torch.manual_seed(step_seed(self.seed, self.steps))
        self.steps += 1
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            rows = self._embed(batch)
            loss = self.module.loss(rows, rows, self._mine(rows, batch.triplets)).value
        told = Told(self._tell(rows, batch.triplets), spread(rows.embeddings.detach()))
        self.optimizer.zero_grad()
        loss.backward()
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.module.parameters(), self.clip)
        self.optimizer.step()
        return told

    @torch.no_grad()
    def triplets(self, batch: Batch) -> Tensor:
        """(T, 3) the drawn triplets of a batch, else those that the miner takes now."""
        if batch.triplets is not None:
            return batch.triplets
        rows = self._embed(batch)
        return self.module.miner(rows, rows, None)

    def _embed(self, batch: Batch) -> Rows:
        total = len(batch.numbers)
        embeddings = embed_in_chunks(self.module.embedder, batch.images, 0, total, self.module.chunk)
        return Rows(embeddings, batch.identities, batch.numbers, batch.views)

    def _mine(self, rows: Rows, given: Tensor | None) -> Tensor:
        if not self.module.loss.needs_triplets:
            return rows.numbers.new_empty((0, 3))
        return self.module.miner(rows, rows, given)

    @torch.no_grad()
    def _tell(self, rows: Rows, given: Tensor | None) -> float:
        """The loss that is told: where the loss takes no triplets, over those of the miner all the same."""
        drawn = given if self.module.miner.needs_given else None
        triplets = self.module.miner(rows, rows, None) if drawn is None else drawn
        return float(self.told_by(rows, rows, triplets).value)


def spread(embeddings: Tensor) -> float:
    """Mean distance of two different rows of (N, D), N of 2 or more."""
    rows = embeddings.float()
    # Not by a product, which is off by the square root of an ulp near 0.
    distances = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
    return float(distances.sum() / (len(rows) * (len(rows) - 1)))


def as_trained(
    batch: Batch, augmentation: Augmentation | BatchedAugmentation | None, seed: int, device: torch.device
) -> Batch:
    """A batch as a training step gets it: on the device, and augmented there where that is the place for it."""
    batch = cast(Batch, move_data_to_device(batch, device))
    if not isinstance(augmentation, BatchedAugmentation):
        return batch
    return batch._replace(images=augmentation(batch.images, (seed, *batch.place), batch.first))


def first_rows(batch: Batch, rows: int) -> Batch:
    """The first rows of a batch, with the triplets among them; all where they would be of one person.

    A triplet batch is laid out three rows a triplet, a P x K batch person by person.
    """
    few = batch.identities[:rows]
    if len(batch.numbers) <= rows or len(few.unique()) < 2 or len(few.unique()) == len(few):
        return batch
    triplets = batch.triplets
    return batch._replace(
        images=batch.images[:rows],
        identities=few,
        numbers=batch.numbers[:rows],
        triplets=None if triplets is None else triplets[(triplets < rows).all(1)],
        views=None if batch.views is None else batch.views[:rows],
        total=rows,
    )
