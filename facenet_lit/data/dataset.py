"""From a plan to a batch: gather the rows, augment them, hand them over as tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from facenet_lit.batch import Batch, BatchPlan, IntArray, count_views, share_of
from facenet_lit.data.augmentation import Augmentation
from facenet_lit.sources.pack_files import Images


class FaceDataset(Dataset[Batch]):
    """Batches by plan; a DataLoader gets it with ``batch_size=None`` and a sampler of plans.

    Args:
        images: (N, H, W, 3) uint8 RGB, an array or records that are decoded here.
        identities: (N,) identity of each image.
        augmentation: what is done to each row, or None.
        seed: seed of the augmentation.
        rank: number of this process, which gets its share of every batch.
        world: number of processes.
    """

    def __init__(
        self,
        images: Images,
        identities: IntArray,
        augmentation: Augmentation | None = None,
        seed: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.images = images
        self.identities = identities
        self.augmentation = augmentation
        self.seed = seed
        self.rank = rank
        self.world = world

    def __getitem__(self, plan: BatchPlan) -> Batch:
        total = len(plan.numbers)
        first, last = share_of(total, self.rank, self.world)
        numbers = plan.numbers[first:last]
        images = self.images[numbers]  # (N, H, W, 3), a copy
        if self.augmentation is not None:
            images = self.augmentation(images, (self.seed, plan.epoch, plan.batch), first)
        return Batch(
            images=torch.from_numpy(images).permute(0, 3, 1, 2),  # (N, 3, H, W), channels last in memory
            identities=torch.from_numpy(self.identities[numbers]),
            numbers=torch.from_numpy(numbers),
            triplets=None if plan.triplets is None else torch.from_numpy(_of(plan.triplets, first, last)),
            views=torch.from_numpy(count_views(plan.numbers)[first:last]),
            first=first,
            total=total,
            place=(plan.epoch, plan.batch),
        )


def _of(triplets: IntArray, first: int, last: int) -> IntArray:
    """The triplets whose anchor is one of the rows [first, last), the anchor counted from there."""
    anchors = triplets[:, 0]
    own: IntArray = triplets[(anchors >= first) & (anchors < last)] - np.array([first, 0, 0])
    return own


def as_it_is(batch: Any) -> Any:
    """What a DataLoader is to do with a batch that is one already."""
    return batch


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
