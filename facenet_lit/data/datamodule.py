"""The LightningDataModule: pictures packed, identities split and audited, batches handed out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import lightning as L
import torch
from torch.utils.data import DataLoader, Sampler

from facenet_lit import gathering
from facenet_lit.batch import Batch, BatchPlan, IntArray
from facenet_lit.data.assignment import (
    OFFICIAL,
    Assignment,
    assign,
    drop_outside,
    packed,
    without_repeats,
)
from facenet_lit.data.audit import MEND_SPLIT, SPLIT_PEOPLE, find_leaks, find_twins, refuse
from facenet_lit.data.augmentation import Augmentation
from facenet_lit.data.batched_augmentation import BatchedAugmentation
from facenet_lit.data.dataset import EverySampler, FaceDataset, as_it_is
from facenet_lit.data.pixel_statistics import NORMALIZATIONS, Statistics, pixel_statistics
from facenet_lit.data.plan_sampler import PlanSampler
from facenet_lit.data.samplers import IdentitySampler
from facenet_lit.data.splits import check_fold
from facenet_lit.data.triplets import draw_triplets
from facenet_lit.errors import UserError, check_choice, check_flag, check_integer
from facenet_lit.sources.lfw import LFWSource
from facenet_lit.sources.packed import Pack, cache_folder, pack
from facenet_lit.sources.source import Source

SamplerFactory = Callable[..., PlanSampler]

log = logging.getLogger(__name__)


class FaceDataModule(L.LightningDataModule):
    """Faces of one source, split by identity.

    Args:
        source: where the pictures come from.
        sampler: makes the training sampler from ``identities``, ``numbers`` and ``batch_size``.
        augmentation: what is done to the training images, or None.
        batch_size: rows of a global training batch.
        size: side of the square images in pixels, 64 or more.
        crop: side of the centred square that is cut out of a picture, in pixels; None for the largest.
        normalize: ``none`` (pixels in [0, 1]), ``half`` (in [-1, 1]), ``dataset`` (zero mean and unit
            deviation of each channel over the training images) or ``image`` (zero mean and unit deviation of
            each image, its channels together).
        split: ``random``, or for LFW ``view1`` or ``view2``; ``triplets``, which leaks, see :func:`triplet_split`;
            ``none`` puts everyone into ``test``, for evaluation.
        split_seed: seed of the split, independent of ``seed``.
        fold: the fold of ``view2``, 1 to 10, that is ``test``.
        cache: folder for the packed pictures, ``auto`` for runs/cache, ``off`` or None for memory only.
        on_bad_image: ``skip`` or ``error``.
        allow_leak: go on although a leak was found.
        workers: DataLoader worker processes.
        seed: seed of the augmentation.

    Raises:
        UserError: a setting is out of range, the pictures can't be read, or a leak was found.
    """

    def __init__(
        self,
        source: Source,
        sampler: SamplerFactory | None = None,
        augmentation: Augmentation | BatchedAugmentation | None = None,
        *,
        batch_size: int = 225,
        size: int = 64,
        crop: int | None = None,
        normalize: str = "half",
        split: str = "random",
        split_seed: int = 0,
        fold: int | None = None,
        cache: str | Path | bool | None = None,
        on_bad_image: str = "error",
        allow_leak: bool = False,
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.source = source
        self.sampler = sampler
        self.augmentation = augmentation
        self.batch_size = check_integer("data.batch_size", batch_size, 3)
        self.size = check_integer("data.size", size, 64)
        self.crop = None if crop is None else check_integer("data.crop", crop, 16)
        self.normalize = check_choice("data.normalize", normalize, NORMALIZATIONS)
        self.split = check_choice("data.split", split, ("random", *OFFICIAL, "triplets", "none"))
        self.split_seed = check_integer("data.split_seed", split_seed, 0)
        self.cache = cache_folder(cache)
        self.on_bad_image = check_choice("data.on_bad_image", on_bad_image, ("skip", "error"))
        self.allow_leak = check_flag("data.allow_leak", allow_leak)
        self.workers = check_integer("data.workers", workers, 0)
        self.seed = seed
        self.pack: Pack | None = None
        self.parts: dict[str, IntArray] = {}
        self.listed_pairs: dict[str, IntArray] = {}
        self.batches = 0  # of an epoch, by the listing
        self._resume_at = (0, 0)
        if self.split in OFFICIAL and not isinstance(source, LFWSource):
            raise UserError(
                f"data.split={split}: expected data=lfw, not {source.name}; use data.split=random"
            )
        self.fold = check_fold(split, fold)
        if self.split == "none" and sampler is not None:
            choices = "random, view1 or view2" if isinstance(source, LFWSource) else "random"
            raise UserError(f"data.split=none: nobody to train on; expected data.split={choices}")

    def setup(self, stage: str | None = None) -> None:
        """Packs (or opens) the pictures, splits the identities and audits the split; once."""
        if self.pack is not None:
            return
        listed = self.listed  # refuses what needs no picture
        faces = pack(self.source, self.crop, self.size, self.cache, self.on_bad_image)
        self.parts, self.listed_pairs = without_repeats(packed(listed, self.source, faces), faces)
        refuse(find_twins(self.parts, faces.files, faces.fingerprints), self.allow_leak, self._advice)
        self.pack = faces

    @cached_property
    def listed(self) -> Assignment:
        """Who is where by the source's listing; all that can be told without a picture is checked.

        Raises:
            UserError: split, sampler or lists can't work, or a leak was found.
        """
        source = self.source
        found = assign(source, source, self.split, self.split_seed, self.fold)
        leaks = find_leaks(found.parts, source.identities, source.names, source.files, found.listed_pairs)
        refuse(leaks, self.allow_leak, self._advice)
        if self.sampler is not None:
            sampler = self._training_sampler(source.identities, found.parts["train"])
            self.batches = len(sampler)
            self._tell_of_singles(sampler)
        return drop_outside(found)

    @property
    def _advice(self) -> str:
        return SPLIT_PEOPLE if self.split == "triplets" else MEND_SPLIT

    @property
    def faces(self) -> Pack:
        """The packed pictures.

        Raises:
            RuntimeError: ``setup`` was not called.
        """
        if self.pack is None:
            raise RuntimeError("FaceDataModule: call setup() first")
        return self.pack

    def pixel_statistics(self) -> Statistics:
        """Mean and deviation that the embedder normalises each channel of x / 255 by."""
        return pixel_statistics(self.faces.images, self.parts["train"], self.normalize)

    def fixed_triplets(self, part: str) -> IntArray:
        """Triplets that a part's loss is told on: drawn once, by the default rules.

        Returns:
            (T, 3) image numbers.
        """
        numbers = self.parts[part]
        people = self.faces.identities[numbers]
        return numbers[draw_triplets(people, "positive", "identity", self.split_seed, 0)]

    def train_dataloader(self) -> DataLoader[Batch]:
        """Batches of the training part, augmented, redrawn every epoch."""
        sampler = self._training_sampler(self.faces.identities, self.parts["train"])
        epoch, done = self._resume_at
        self._resume_at = (0, 0)
        # Lightning makes the iterator before it tells the sampler which epoch it is.
        sampler.set_epoch(epoch)
        sampler.skip(done)
        return self._loader(sampler, self.augmentation)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Augments a training batch where the network is, if it is to be done there."""
        if isinstance(self.augmentation, BatchedAugmentation) and self.trainer and self.trainer.training:
            seed = (self.seed, *batch.place)
            return batch._replace(images=self.augmentation(batch.images, seed, batch.first))
        return batch

    def val_dataloader(self) -> DataLoader[Batch]:
        """Every image of ``val``, once."""
        return self.part_dataloader(self.parts["val"])

    def test_dataloader(self) -> DataLoader[Batch]:
        """Every image of ``test``, once."""
        return self.part_dataloader(self.parts["test"])

    def part_dataloader(self, numbers: IntArray, batch_size: int | None = None) -> DataLoader[Batch]:
        """The images of these numbers, once and in order, not augmented; batches of training's size if none is told."""
        return self._loader(EverySampler(numbers, batch_size or self.batch_size), None)

    def state_dict(self) -> dict[str, Any]:
        """The epoch, and how many batches of it are done: where a resumed run goes on."""
        if self.trainer is None:
            return {}
        loop: Any = self.trainer.fit_loop
        # Not ``completed``: a batch is that only after the callbacks, one of which may be saving this.
        done = loop.epoch_loop.batch_progress.current.processed
        epoch = loop.epoch_progress.current.processed
        last = done >= self.trainer.num_training_batches
        return {"epoch": epoch + 1, "batches_done": 0} if last else {"epoch": epoch, "batches_done": done}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on behind the batches that were done."""
        self._resume_at = (int(state_dict.get("epoch", 0)), int(state_dict.get("batches_done", 0)))

    def _loader(
        self, sampler: Sampler[BatchPlan], augmentation: Augmentation | BatchedAugmentation | None
    ) -> DataLoader[Batch]:
        faces, me = self.faces, (gathering.rank(), gathering.world_size())
        one_by_one = augmentation if isinstance(augmentation, Augmentation) else None
        dataset = FaceDataset(faces.images, faces.identities, one_by_one, self.seed, *me)
        return DataLoader(
            dataset,
            sampler=cast(Any, sampler),
            batch_size=None,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=torch.cuda.is_available(),
            collate_fn=as_it_is,
        )

    def _tell_of_singles(self, sampler: PlanSampler) -> None:
        if not isinstance(sampler, IdentitySampler):
            return
        rows = sampler.identities_per_batch * sampler.images_per_identity
        if rows + sampler.singles < self.batch_size:
            log.info(
                "sampler.singles=%d: the training part has %d people with one image, so batches hold %d rows, "
                "not data.batch_size=%d",
                *(self.batch_size - rows, sampler.singles, rows + sampler.singles, self.batch_size),
            )

    def _training_sampler(self, identities: IntArray, numbers: IntArray) -> PlanSampler:
        if self.sampler is None:
            raise RuntimeError("FaceDataModule: made without a sampler")
        return self.sampler(identities[numbers], numbers, self.batch_size)
