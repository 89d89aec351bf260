"""From a plan to a batch: gather the rows, augment them, hand them over as tensors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset, Sampler

from facenet_lit.batch import Batch, BatchPlan, IntArray, count_views
from facenet_lit.data.augmentation import Augmentation


class FaceDataset(Dataset[Batch]):
    """Batches by plan; a DataLoader gets it with ``batch_size=None`` and a sampler of plans.

    Args:
        images: (N, H, W, 3) uint8 RGB.
        identities: (N,) identity of each image.
        augmentation: what is done to each row, or None.
        seed: seed of the augmentation.
    """

    def __init__(
        self,
        images: npt.NDArray[np.uint8],
        identities: IntArray,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        self.images = images
        self.identities = identities
        self.augmentation = augmentation
        self.seed = seed

    def __getitem__(self, plan: BatchPlan) -> Batch:
        images = self.images[plan.numbers]  # (N, H, W, 3), a copy
        if self.augmentation is not None:
            images = self.augmentation(images, (self.seed, plan.epoch, plan.batch))
        return Batch(
            images=torch.from_numpy(images).permute(0, 3, 1, 2),  # (N, 3, H, W), channels last in memory
            identities=torch.from_numpy(self.identities[plan.numbers]),
            numbers=torch.from_numpy(plan.numbers),
            triplets=None if plan.triplets is None else torch.from_numpy(plan.triplets),
            views=torch.from_numpy(count_views(plan.numbers)),
        )


class EverySampler(Sampler[BatchPlan]):
    """Every image once, in order: for evaluation.

    Args:
        numbers: (N,) image numbers.
        batch_size: rows of a batch.
    """

    def __init__(self, numbers: IntArray, batch_size: int) -> None:
        self.numbers = numbers
        self.batch_size = batch_size

    def __len__(self) -> int:
        return (len(self.numbers) + self.batch_size - 1) // self.batch_size

    def __iter__(self) -> Iterator[BatchPlan]:
        for index in range(len(self)):
            start = index * self.batch_size
            yield BatchPlan(0, index, self.numbers[start : start + self.batch_size], None)
