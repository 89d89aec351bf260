"""Training steps outside of a run: those of a run, without its loop, schedule and files."""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from lightning.fabric.utilities import move_data_to_device
from torch import Tensor

from facenet_lit.batch import Batch, Rows, ScoredBatch
from facenet_lit.callbacks.run_circumstances import circumstances_of
from facenet_lit.callbacks.seeded_steps import step_seed
from facenet_lit.data.augmentation import Augmentation
from facenet_lit.data.batched_augmentation import BatchedAugmentation
from facenet_lit.health.causes import Circumstances
from facenet_lit.health.vitals import spread_of
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.verification_module import VerificationModule


class Told(NamedTuple):
    """What a step tells, before it changes the weights.

    Attributes:
        loss: the mean triplet loss over the miner's triplets, those that are met counted as 0; of ``masked`` over
            all drawn ones. The mean over the active ones, which training may take, stays up to the last of them.
        spread: of the rows' embeddings, see :func:`spread_of`.
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
            loss = self.module.score(batch).value
        rows = self._seen()
        told = Told(self._tell(rows, batch.triplets), float(spread_of(rows.embeddings)))
        self.optimizer.zero_grad()
        loss.backward()
        self.module.configure_gradient_clipping(self.optimizer, self.clip)
        self.optimizer.step()
        return told

    @torch.no_grad()
    def triplets(self, batch: Batch) -> Tensor:
        """(T, 3) the drawn triplets of a batch, else those that the miner takes now."""
        if batch.triplets is not None:
            return batch.triplets
        self.module.score(batch)
        rows = self._seen()
        return self.module.miner(rows, rows, None)

    @property
    def circumstances(self) -> Circumstances:
        """What decides which causes of an illness are likely."""
        return circumstances_of(self.module, [self.optimizer], self.clip)

    def _seen(self) -> Rows:
        """The rows of the batch that the module scored last."""
        return cast(ScoredBatch, self.module.scored).rows

    @torch.no_grad()
    def _tell(self, rows: Rows, given: Tensor | None) -> float:
        """The loss that is told: where the loss takes no triplets, over those of the miner all the same."""
        drawn = given if self.module.miner.needs_given else None
        triplets = self.module.miner(rows, rows, None) if drawn is None else drawn
        return float(self.told_by(rows, rows, triplets).value)


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
