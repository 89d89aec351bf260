"""Pictures of 112 px in random order as batches: from a pack, and from a folder of JPEGs."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path

import albumentations
import cv2
import numpy as np
import torch
from albumentations.pytorch import ToTensorV2
from benchmarks.harness import Row, timed
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets import ImageFolder
from torchvision.transforms import Compose, Normalize, PILToTensor, ToTensor

from facenet_lit.backbones.embedder import Embedder
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.sources.folder import FolderSource
from facenet_lit.sources.synthetic import SyntheticFaces

DRAWN, QUALITIES = 128, range(80, 96)  # different pictures, each as JPEGs of so many qualities
EACH, SIDE, BATCH, WORKERS = 8, 112, 256, 2
MEAN, STD = [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]

Loaded = Iterable[Tensor]


def rows() -> list[Row]:
    """Bytes against torchvision; normalised numbers against torchvision, and against OpenCV and albumentations.

    A peer loads with no workers or with some, whichever is the faster here; they are started at its first turn.
    """
    work = f"{DRAWN * len(QUALITIES):,} pictures of {SIDE} px to batches of"
    folder, opencv = "ImageFolder", "OpenCV + albumentations"
    return [
        _row(f"{work} uint8", bytes_of_pack, bytes_of_folder, folder),
        _row(f"{work} float32", numbers_of_pack, numbers_of_folder, folder),
        _row(f"{work} float32: OpenCV", numbers_of_pack, Faces, opencv),
    ]


def _row(work: str, ours: Callable[[], Loaded], dataset: Callable[[], Dataset], name: str) -> Row:
    loader = cache(lambda: faster_loader(dataset()))  # it takes long to make, and one side alone wants it

    def peer() -> Loaded:
        return images_of(loader())

    passes = partial(gone_through, ours), partial(gone_through, peer), copied
    name = f"{name}, the faster of 0 and {WORKERS} workers"
    return Row(
        f"{work}, freed memory kept",
        *passes,
        partial(check, ours, lambda: images_of(DataLoader(dataset(), BATCH, sampler=order().tolist()))),
        name,
        "memcpy of the bytes",
        inputs=packed,
        keeps_memory=True,
    )


def gone_through(loaded: Callable[[], Loaded]) -> int:
    """One pass over all batches."""
    return sum(len(images) for images in loaded())


@cache
def folder() -> Path:
    """A folder of drawn faces, a subfolder an identity: one for a process and those that it starts for the sides."""
    owner = multiprocessing.parent_process()
    place = Path(tempfile.gettempdir()) / f"facenet_lit_faces_{owner.pid if owner else os.getpid()}_{DRAWN}"
    root = place / "faces"
    if not root.is_dir():
        if owner is None:
            atexit.register(shutil.rmtree, place)
        write_faces(place / "partial")
        (place / "partial").rename(root)
    return root


def write_faces(root: Path) -> None:
    """Writes them, each as JPEGs of all qualities."""
    for number, draw in SyntheticFaces(-(-DRAWN // EACH), EACH, SIDE).pictures():
        if number < DRAWN:
            picture = cv2.cvtColor(draw(), cv2.COLOR_RGB2BGR)
            for quality in QUALITIES:
                file = root / f"{number // EACH:03}" / f"{number:04}_{quality}.jpg"
                file.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(file), picture, [cv2.IMWRITE_JPEG_QUALITY, quality])


@cache
def packed() -> FaceDataModule:
    """The same pictures as a pack in a folder, as arrays that are mapped into memory."""
    root = folder()
    cache = str(root.parent)  # who comes first packs
    data = FaceDataModule(FolderSource(root), batch_size=BATCH, size=SIDE, split="none", cache=cache)
    data.setup()
    return data


@cache
def order() -> np.ndarray:
    """The order that all are asked for in."""
    return np.random.default_rng(0).permutation(DRAWN * len(QUALITIES))


def bytes_of_pack() -> Iterator[Tensor]:
    """(N, 3, H, W) uint8, from our loader."""
    yield from (batch.images for batch in packed().part_dataloader(order()))


def numbers_of_pack() -> Iterator[Tensor]:
    """(N, 3, H, W) float32 as a backbone is given them."""
    embedder = normaliser()
    for images in bytes_of_pack():
        embedder(images)
        yield embedder.backbone.seen


class Seen(nn.Module):
    """A backbone that keeps what it is given."""

    features = 2

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 2)."""
        self.seen = pixels
        return pixels[:, :2, 0, 0]


@cache
def normaliser() -> Embedder:
    """The embedder with a backbone that does nothing."""
    return Embedder(Seen(), 2, MEAN, STD, head="none").eval()


def faster_loader(dataset: Dataset) -> DataLoader:
    """The usual loader with no workers or with ``WORKERS`` that stay, by a second pass of each."""
    loaders = [
        DataLoader(
            dataset, BATCH, sampler=order().tolist(), num_workers=workers, persistent_workers=workers > 0
        )
        for workers in (0, WORKERS)
    ]
    passes = [partial(gone_through, partial(images_of, loader)) for loader in loaders]
    passes[1]()  # starts them
    seconds = [timed(run) for run in passes]
    return loaders[seconds.index(min(seconds))]


def images_of(loader: DataLoader) -> Iterator[Tensor]:
    """The pictures of a loader's batches."""
    for images, _ in loader:
        yield images


def bytes_of_folder() -> Dataset:
    """(3, H, W) uint8, the usual way."""
    return ImageFolder(str(folder()), PILToTensor())


def numbers_of_folder() -> Dataset:
    """(3, H, W) float32, the usual way."""
    return ImageFolder(str(folder()), Compose([ToTensor(), Normalize(MEAN, STD)]))


class Faces(Dataset):
    """(3, H, W) float32, read by OpenCV and normalised by albumentations."""

    def __init__(self) -> None:
        self.listed = ImageFolder(str(folder())).samples
        self.transform = albumentations.Compose([albumentations.Normalize(MEAN, STD), ToTensorV2()])

    def __len__(self) -> int:
        return len(self.listed)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        file, identity = self.listed[number]
        picture = cv2.cvtColor(cv2.imread(file), cv2.COLOR_BGR2RGB)
        return self.transform(image=picture)["image"], identity


@cache
def _copies() -> tuple[np.ndarray, np.ndarray]:
    pixels = np.array(packed().faces.images)
    return pixels, np.empty_like(pixels)


def copied() -> None:
    """As many bytes, from one place in memory to another."""
    pixels, copy = _copies()
    np.copyto(copy, pixels)


def check(ours: Callable[[], Loaded], peer: Callable[[], Loaded]) -> None:
    """Both give the same pictures in the same order, up to what two decoders of JPEG differ by."""
    unit = 1 if next(iter(ours())).dtype == torch.uint8 else 1 / 255 / STD[0]
    for mine, other in zip(ours(), peer(), strict=True):
        assert mine.dtype == other.dtype
        assert mine.shape == other.shape
        apart = (mine.float() - other.float()).abs()
        assert apart.mean() < 0.5 * unit
        assert apart.max() < 12 * unit
