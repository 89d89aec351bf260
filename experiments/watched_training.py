"""Trains on drawn pictures, on one process or on several, and keeps what each step did."""

from __future__ import annotations

import facenet_lit  # noqa: F401  # isort: skip  # before Lightning: it declares what torchvision may lack

import tempfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import lightning as L
import numpy as np
import torch
from omegaconf import OmegaConf
from torch import Tensor
from torch.utils.data import DataLoader

from facenet_lit import gathering
from facenet_lit.backbones.synced_batch_norm import sync_batch_norms
from facenet_lit.batch import Batch, Rows
from facenet_lit.budget import Budget
from facenet_lit.callbacks.seeded_steps import SeededSteps
from facenet_lit.callbacks.training_clock import TrainingClock
from facenet_lit.checkpoint import ModelCard
from facenet_lit.data.augmentation import Augmentation, Changes
from facenet_lit.data.dataset import EverySampler, FaceDataset
from facenet_lit.data.samplers import IdentitySampler, TripletSampler
from facenet_lit.lightning_trainer import build_trainer, quiet_lightning
from facenet_lit.losses.joint import JointLoss
from facenet_lit.losses.margin_softmax import MarginSoftmaxLoss
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.losses.supervised_contrastive import SupervisedContrastiveLoss
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.metrics.verification import VerificationMetric
from facenet_lit.mining import AllMiner, GivenMiner, HardMiner, MaskedMiner, SemiHardMiner
from facenet_lit.places import Place
from facenet_lit.schedule import CosineSchedule
from facenet_lit.verification_module import VerificationModule

MINERS = {miner.name: miner for miner in (GivenMiner, MaskedMiner, SemiHardMiner, HardMiner, AllMiner)}
LOSSES = {
    "triplet": lambda: TripletLoss(0.2),
    "semi_hard_mean": lambda: SemiHardMeanLoss(0.2),
    "supcon": lambda: SupervisedContrastiveLoss(0.1),
    "arcface": lambda: MarginSoftmaxLoss(scale=16.0),
    "arcface_triplet": lambda: JointLoss(MarginSoftmaxLoss(scale=16.0), TripletLoss(0.2)),
    "arcface_then_triplet": lambda: JointLoss(
        MarginSoftmaxLoss(scale=16.0), TripletLoss(0.2), switch_epoch=2
    ),
}
NETWORKS = {
    "batch_norm": (
        "resnext",
        {"depths": [1, 1], "cardinality": 2, "group_width": 4, "width": 8, "expansion": 2},
    ),
    "plain": ("inception", {"width": 0.1, "batch_norm": "none"}),
}
OPTIMIZERS = {"sgd": (torch.optim.SGD, 0.01), "adamw": (torch.optim.AdamW, 1e-3)}
SIDE = 16


@dataclass(frozen=True)
class Setting:
    """What trains.

    Attributes:
        batch_size: rows of the global batch; for pk it is made of 2 images an identity and one single.
    """

    sampler: str
    miner: str
    loss: str = "triplet"
    network: str = "batch_norm"
    optimizer: str = "sgd"
    dropout: float = 0.0
    batch_size: int = 21
    counts: tuple[int, ...] = (4, 1, 3, 2, 5, 1, 2, 3, 2, 4, 1, 3)
    steps: int = 20


@dataclass
class Outcome:
    """What came of it, of one process.

    Attributes:
        weights: every parameter and statistic at the end.
        triplets: at each step those that this process mined, by rows of the global batch.
        rows: at each step this process's image numbers, views, and sums of its augmented images.
        losses: of each step, as logged.
        figures: of the last validation.
    """

    weights: dict[str, Tensor] = field(default_factory=dict)
    triplets: list[set[tuple[int, ...]]] = field(default_factory=list)
    rows: list[list[tuple[int, int, int]]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    figures: dict[str, float | None] = field(default_factory=dict)


class Watched(VerificationModule):
    """Keeps what each step did."""

    outcome: Outcome
    first = 0

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """A step, watched."""
        self.first = batch.first
        sums = batch.images.sum((1, 2, 3), dtype=torch.long).tolist()
        self.outcome.rows.append(list(zip(batch.numbers.tolist(), batch.views.tolist(), sums, strict=True)))
        loss = super().training_step(batch, batch_idx)
        self.outcome.losses.append(float(loss))
        return loss

    def _mine(self, own: Rows, rows: Rows, given: Tensor | None) -> Tensor:
        mined = super()._mine(own, rows, given)
        whole = (mined + torch.tensor([self.first, 0, 0])).tolist()
        self.outcome.triplets.append({tuple(triplet) for triplet in whole})
        return mined


def train_together(setting: Setting) -> Outcome:
    """Trains; the seeds are fixed. The pictures are coloured noise around a colour of each identity."""
    warnings.filterwarnings("ignore")
    quiet_lightning()
    identities = np.repeat(np.arange(len(setting.counts)), setting.counts)
    draws = np.random.default_rng(0)
    colours = draws.integers(60, 200, (len(setting.counts), 1, 1, 3))[identities]
    images = (
        (colours + draws.integers(-50, 50, (len(identities), SIDE, SIDE, 3))).clip(0, 255).astype(np.uint8)
    )
    numbers = np.arange(len(identities))
    if setting.sampler == "triplets":
        sampler = TripletSampler(identities, numbers, setting.batch_size, seed=3)
    else:
        sampler = IdentitySampler(
            identities, numbers, setting.batch_size, setting.batch_size // 2, 2, 1, seed=3
        )
    me = (gathering.rank(), gathering.world_size())
    augmented = FaceDataset(images, identities, Augmentation(Changes(flip=0.5, rotate=10, erase=0.5)), 5, *me)
    plain = FaceDataset(images, identities, None, 0, *me)
    module = _module(setting, identities, numbers)
    with tempfile.TemporaryDirectory() as folder:
        _trainer(setting.steps, Path(folder)).fit(
            module,
            DataLoader(augmented, sampler=sampler, batch_size=None),
            DataLoader(plain, sampler=EverySampler(numbers, 10), batch_size=None),
        )
    module.outcome.weights = {k: v.clone() for k, v in module.state_dict().items()}
    module.outcome.figures = module.figures
    return module.outcome


def _module(setting: Setting, identities: np.ndarray, numbers: np.ndarray) -> Watched:
    torch.manual_seed(1)
    backbone, arguments = NETWORKS[setting.network]
    head = "batchnorm" if setting.network == "batch_norm" else "linear"
    card = ModelCard(
        backbone, {**arguments, "stem": "small"}, 16, [0.5] * 3, [0.5] * 3, head=head, dropout=setting.dropout
    )
    loss = LOSSES[setting.loss]()
    loss.set_up(torch.from_numpy(identities), 16)
    optimizer, rate = OPTIMIZERS[setting.optimizer]
    embedder = card.build()
    if gathering.world_size() > 1:
        sync_batch_norms(embedder)
    fixed = {"val": np.array([(a, a + 1, len(numbers) - 1) for a in (0, 5)])}
    module = Watched(
        embedder, card, {"val": VerificationMetric(1.1, [0.1])}, MINERS[setting.miner](), loss, TripletLoss(0.2),
        lambda weights: optimizer(weights, lr=rate), fixed, {"val": numbers[:2][None]},
    )  # fmt: skip
    module.outcome = Outcome()
    return module


def _trainer(steps: int, folder: Path) -> L.Trainer:
    settings = {
        "accelerator": "cpu", "val_every_steps": steps, "log_every_steps": 1, "accumulate": 1, "gradient_clip": None,
    }  # fmt: skip
    rank, world = gathering.rank(), gathering.world_size()
    place = None if world == 1 else Place(rank, world, rank, world, 0, "")
    config = OmegaConf.create({"trainer": settings})
    clock = TrainingClock(Budget(steps=steps), CosineSchedule())
    return build_trainer(config, folder, "64", [SeededSteps(7), clock], None, None, place)
