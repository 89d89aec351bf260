"""Trains on 1, 2 and 4 processes in float64, and compares what comes of it.

    python experiments/many_processes.py            # a table, written to experiments/many_processes/table.md

Twenty steps by every pair of sampler and miner and by the losses that mine for themselves, each with a network with
BatchNorm and one without, by SGD and AdamW, on CPU processes that meet by gloo. The table has, for 2 and for 4
processes, the largest difference of a parameter or statistic from that of one process, relative to its norm.
"""

from __future__ import annotations

import facenet_lit  # noqa: F401  # isort: skip  # before Lightning: it declares what torchvision may lack

import itertools
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import lightning as L
import numpy as np
import torch
import torch.distributed
import torch.multiprocessing
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
from facenet_lit.lightning_trainer import build_trainer
from facenet_lit.losses.joint import JointLoss
from facenet_lit.losses.margin_softmax import MarginSoftmaxLoss
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.losses.supervised_contrastive import SupervisedContrastiveLoss
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.metrics.verification import VerificationMetric
from facenet_lit.mining import AllMiner, GivenMiner, HardMiner, MaskedMiner, SemiHardMiner
from facenet_lit.places import Place
from facenet_lit.run_folder import write_atomically
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
# Every sampler with every miner that may go with it, and the losses that mine for themselves.
PAIRS = [
    *(("triplets", name, "triplet") for name in MINERS),
    *(("pk", name, "triplet") for name in ("semi_hard", "hard", "all")),
    *(("pk", "semi_hard", name) for name in LOSSES if name != "triplet"),
]
SIDE = 16
WORLDS = (2, 4)
CLOSE = 1e-10


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


def relative_differences(one: dict[str, Tensor], other: dict[str, Tensor]) -> dict[str, float]:
    """Of each tensor, the norm of the difference by its own; absolutely where that is below 1e-8."""
    assert set(one) == set(other)
    result = {}
    for name, value in one.items():
        difference, norm = float((value - other[name]).double().norm()), float(value.double().norm())
        result[name] = difference / norm if norm >= 1e-8 else difference
    return result


def every_setting() -> list[Setting]:
    """Every pair of sampler and miner, and the losses that mine, with both networks and both optimisers."""
    choices = itertools.product(PAIRS, NETWORKS, OPTIMIZERS)
    return [Setting(*pair, network, optimizer) for pair, network, optimizer in choices]


def largest_differences(alone: Sequence[Outcome], together: Sequence[Outcome]) -> list[float]:
    """Of each setting, the largest relative difference; infinite where there are not as many steps."""
    return [
        float(
            torch.tensor(list(relative_differences(one.weights, other.weights).values())).max()
        )  # NaN stays
        if len(one.losses) == len(other.losses)
        else float("inf")
        for one, other in zip(alone, together, strict=True)
    ]


def train_all(world: int) -> list[Outcome]:
    """The outcomes of every setting, of the first of so many processes."""
    if world == 1:
        return [train_together(setting) for setting in every_setting()]
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(_train_all_there, args=(world, folder), nprocs=world)
        outcomes: list[Outcome] = torch.load(
            f"{folder}/outcomes", weights_only=False
        )  # our own, just written
    return outcomes


def _train_all_there(rank: int, world: int, folder: str) -> None:
    torch.set_num_threads(1)
    meeting = f"file://{folder}/meeting"
    torch.distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=world)
    outcomes = train_all(1)
    if rank == gathering.FIRST:
        torch.save(outcomes, f"{folder}/outcomes")
    torch.distributed.destroy_process_group()


def table(worlds: Sequence[int], differences: Sequence[Sequence[float]]) -> str:
    """A row per setting in Markdown, a column per number of processes."""
    head = ["sampler", "miner", "loss", "network", "optimiser", *(f"{world} processes" for world in worlds)]
    rows = [
        [one.sampler, one.miner, one.loss, one.network, one.optimizer, *(f"{value:.1e}" for value in values)]
        for one, *values in zip(every_setting(), *differences, strict=True)
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def main() -> None:
    """Prints the table, and writes it; ends with 1 where a difference is above 1e-10."""
    alone = train_all(1)
    differences = [largest_differences(alone, train_all(world)) for world in WORLDS]
    told = table(WORLDS, differences)
    write_atomically(Path(__file__).with_suffix("") / "table.md", told + "\n")
    print(told)
    largest = float(torch.tensor(differences).max())
    print(f"largest: {largest:.1e}")
    sys.exit(not largest <= CLOSE)


if __name__ == "__main__":
    main()
