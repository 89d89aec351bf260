"""The LightningDataModule: pictures packed, identities split and audited, batches handed out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler

from facenet_lit.batch import Batch, BatchPlan, IntArray
from facenet_lit.data.audit import find_leaks, refuse
from facenet_lit.data.augmentation import Augmentation
from facenet_lit.data.dataset import EverySampler, FaceDataset
from facenet_lit.data.plan_sampler import PlanSampler
from facenet_lit.data.splits import PARTS, images_of, random_split, view1_split
from facenet_lit.data.triplets import draw_triplets
from facenet_lit.errors import UserError, check_choice, check_flag, check_integer
from facenet_lit.sources.lfw import LFWSource
from facenet_lit.sources.lfw_lists import ListedPair
from facenet_lit.sources.packed import Pack, pack
from facenet_lit.sources.source import Source

Statistics = tuple[list[float], list[float]]

SamplerFactory = Callable[..., PlanSampler]


class FaceDataModule(L.LightningDataModule):
    """Faces of one source, split by identity.

    Args:
        source: where the pictures come from.
        sampler: makes the training sampler from ``identities``, ``numbers`` and ``batch_size``.
        augmentation: what is done to each training image, or None.
        batch_size: rows of a global training batch.
        size: side of the square images in pixels, 64 or more.
        crop: side of the centred square that is cut out of a picture, in pixels; None for the largest.
        normalize: ``none`` (pixels in [0, 1]), ``half`` (in [-1, 1]) or ``dataset`` (zero mean and unit
            deviation of each channel over the training images).
        split: ``random``, or for LFW ``view1``; ``none`` puts everyone into ``test``, for evaluation.
        split_seed: seed of the split, independent of ``seed``.
        cache: folder for the packed pictures; None keeps them in memory only.
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
        augmentation: Augmentation | None = None,
        *,
        batch_size: int = 225,
        size: int = 64,
        crop: int | None = None,
        normalize: str = "half",
        split: str = "random",
        split_seed: int = 0,
        cache: str | None = None,
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
        self.normalize = check_choice("data.normalize", normalize, ("none", "half", "dataset"))
        self.split = check_choice("data.split", split, ("random", "view1", "none"))
        self.split_seed = check_integer("data.split_seed", split_seed, 0)
        if not isinstance(cache, (str, Path, type(None))):
            raise UserError(f"data.cache={cache}: expected a folder, or null")
        self.cache = None if cache is None else Path(cache)
        self.on_bad_image = check_choice("data.on_bad_image", on_bad_image, ("skip", "error"))
        self.allow_leak = check_flag("data.allow_leak", allow_leak)
        self.workers = check_integer("data.workers", workers, 0)
        self.seed = seed
        self.pack: Pack | None = None
        self.parts: dict[str, IntArray] = {}
        self.listed_pairs: dict[str, IntArray] = {}
        self._resume_at = (0, 0)
        if self.split == "view1" and not isinstance(source, LFWSource):
            raise UserError(f"data.split=view1: expected data=lfw, not {source.name}; use data.split=random")

    def setup(self, stage: str | None = None) -> None:
        """Packs (or opens) the pictures, splits the identities and audits the split; once."""
        if self.pack is not None:
            return
        self._check_listing()
        faces = pack(self.source, self.crop, self.size, self.cache, self.on_bad_image)
        split = self._split(faces.identities, faces.names)
        self.parts = {part: images_of(faces.identities, split[part]) for part in PARTS}
        self.listed_pairs = self._listed_pairs(faces)
        leaks = find_leaks(
            self.parts, faces.identities, faces.names, faces.files, faces.fingerprints, self.listed_pairs
        )
        refuse(leaks, self.allow_leak)
        self.pack = faces

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
        if self.normalize == "none":
            return [0.0] * 3, [1.0] * 3
        if self.normalize == "half":
            return [0.5] * 3, [0.5] * 3
        total, squares, count = np.zeros(3), np.zeros(3), 0
        numbers = self.parts["train"]
        for start in range(0, len(numbers), 1024):
            pixels = self.faces.images[numbers[start : start + 1024]].reshape(-1, 3) / 255.0
            total, squares, count = total + pixels.sum(0), squares + (pixels**2).sum(0), count + len(pixels)
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean**2, 1e-12))
        return mean.tolist(), deviation.tolist()

    def fixed_triplets(self, part: str) -> IntArray:
        """Triplets that a part's loss is told on: drawn once, by the default rules.

        Returns:
            (T, 3) image numbers.
        """
        numbers = self.parts[part]
        return numbers[
            draw_triplets(self.faces.identities[numbers], "positive", "identity", self.split_seed, 0)
        ]

    def train_dataloader(self) -> DataLoader[Batch]:
        """Batches of the training part, augmented, redrawn every epoch."""
        if self.sampler is None:
            raise RuntimeError("FaceDataModule: made without a sampler")
        numbers = self.parts["train"]
        sampler = self.sampler(self.faces.identities[numbers], numbers, self.batch_size)
        epoch, done = self._resume_at
        self._resume_at = (0, 0)
        # Lightning makes the iterator before it tells the sampler which epoch it is.
        sampler.set_epoch(epoch)
        sampler.skip(done)
        return self._loader(sampler, self.augmentation)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Every image of ``val``, once."""
        return self.part_dataloader(self.parts["val"])

    def test_dataloader(self) -> DataLoader[Batch]:
        """Every image of ``test``, once."""
        return self.part_dataloader(self.parts["test"])

    def part_dataloader(self, numbers: IntArray) -> DataLoader[Batch]:
        """The images of these numbers, once and in order, not augmented."""
        return self._loader(EverySampler(numbers, self.batch_size), None)

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

    def _loader(self, sampler: Sampler[BatchPlan], augmentation: Augmentation | None) -> DataLoader[Batch]:
        dataset = FaceDataset(self.faces.images, self.faces.identities, augmentation, self.seed)
        return DataLoader(
            dataset,
            sampler=cast(Any, sampler),
            batch_size=None,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=torch.cuda.is_available(),
            collate_fn=_as_it_is,
        )

    def _check_listing(self) -> None:
        """Raises UserError where the listing alone tells that split or sampler can't work."""
        identities = self.source.identities
        split = self._split(identities, self.source.names)
        if self.sampler is not None:
            numbers = images_of(identities, split["train"])
            self.sampler(identities[numbers], numbers, self.batch_size)

    def _split(self, identities: IntArray, names: Sequence[str]) -> dict[str, IntArray]:
        if self.split == "none":
            nobody = np.empty(0, dtype=np.int64)
            return {"train": nobody, "val": nobody, "test": np.unique(identities)}
        if self.split == "random":
            return random_split(identities, self.split_seed)
        source = cast(LFWSource, self.source)
        train, test = source.people("peopleDevTrain"), source.people("peopleDevTest")
        return view1_split(identities, names, train, test, self.split_seed)

    def _listed_pairs(self, faces: Pack) -> dict[str, IntArray]:
        """For a part with an official list, (P, 2) image numbers."""
        if self.split != "view1":
            return {}
        return {"test": number_pairs(cast(LFWSource, self.source).pairs("pairsDevTest"), faces)}


def number_pairs(listed: Sequence[ListedPair], faces: Pack) -> IntArray:
    """Image numbers of listed pairs.

    Args:
        listed: pairs of file names.
        faces: where the files are.

    Returns:
        (P, 2) image numbers.

    Raises:
        UserError: a listed picture is not there.
    """
    number = {file: place for place, file in enumerate(faces.files)}
    absent = [file for pair in listed for file in (pair.first, pair.second) if file not in number]
    if absent:
        raise UserError(
            f"pairs: {len(absent)} listed pictures are not in the source, {absent[0]} for one; "
            "expected a list made for these pictures"
        )
    pairs = [(number[pair.first], number[pair.second]) for pair in listed]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _as_it_is(batch: Any) -> Any:
    return batch
