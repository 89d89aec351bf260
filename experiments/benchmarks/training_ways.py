"""A network trained in three ways whose images per second are compared: ours, Lightning's defaults, a plain loop."""

from __future__ import annotations

import csv
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from facenet_lit.backbones import build_backbone
from facenet_lit.backbones.embedder import Embedder
from facenet_lit.batch import Rows
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.precision import lay_out
from facenet_lit.sources.pack_files import Pack, read_pack

EACH = 4  # images of a person, in the pack and in a batch
NETWORKS: dict[str, dict[str, Any]] = {
    "resnext": {"depths": [3, 4, 6, 3], "cardinality": 32, "group_width": 4, "width": 64, "expansion": 4},
    "inception_resnet_v1": {},
}
WARM = 10  # steps that are not counted


class Setting(NamedTuple):
    """What a part is measured by."""

    accelerator: str = "gpu"
    steps: int = 60
    rows: int = 512
    images: int = 20_000
    workers: int = 8

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return torch.device("cuda" if self.accelerator == "gpu" else self.accelerator)

    @property
    def autocast(self) -> torch.autocast:
        """The arithmetic that ours runs in on a GPU."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.accelerator == "gpu")


class Pictures(Dataset[tuple[Tensor, int]]):
    """A pack's pictures the usual way: one by one, as float32, flipped by chance."""

    def __init__(self, pack: Pack) -> None:
        from torchvision import transforms

        self.pack = pack
        steps = [
            transforms.ToTensor(),
            transforms.RandomHorizontalFlip(),
            transforms.Normalize([0.5] * 3, [0.5] * 3),
        ]
        self.transform: Callable[[np.ndarray], Tensor] = transforms.Compose(steps)

    def __len__(self) -> int:
        return len(self.pack.identities)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        return self.transform(np.array(self.pack.record(number))), int(self.pack.identities[number])


def embedder(name: str) -> Embedder:
    """The network, its weights drawn by the same seed for all three."""
    torch.manual_seed(0)
    return Embedder(build_backbone(name, **NETWORKS[name]), 512, [0.5] * 3, [0.25] * 3).train()


def loss_of(embeddings: Tensor, people: Tensor) -> Tensor:
    """The mean over every semi-hard triplet, the same for all three."""
    rows = Rows(embeddings, people, torch.arange(len(people), device=people.device))
    return SemiHardMeanLoss()(rows, rows, torch.empty(0, 3, dtype=torch.long, device=people.device)).value


class Plain(L.LightningModule):
    """The network as one would write it down: the usual arithmetic and layout, a metric or two left out."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.network = embedder(name)
        self.ends: list[float] = []

    def training_step(self, batch: tuple[Tensor, Tensor], number: int) -> Tensor:
        """The loss; pictures are float32 already."""
        images, people = batch
        features = self.network.head(self.network.backbone(images))
        value = loss_of(nn.functional.normalize(features), people)
        self.log("train/loss", value)
        return value

    def on_train_batch_end(self, *_: object) -> None:
        """Notes the time; of the last step, when the device has done it."""
        last = self.trainer.global_step == self.trainer.max_steps
        self.ends.append(clock(self.device) if last else time.perf_counter())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """As most do."""
        return torch.optim.AdamW(self.parameters(), lr=1e-3)


def lightning(name: str, setting: Setting, pack: Path) -> float:
    """Images per second of Lightning's Trainer by its defaults."""
    module = Plain(name)
    loader = DataLoader(
        Pictures(read_pack(pack)), setting.rows, shuffle=True, drop_last=True, num_workers=setting.workers,
        persistent_workers=setting.workers > 0,
    )  # fmt: skip
    L.Trainer(
        accelerator=setting.accelerator, devices=1, max_steps=WARM + setting.steps, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    ).fit(module, loader)  # fmt: skip
    return setting.rows * setting.steps / (module.ends[-1] - module.ends[WARM - 1])


def ours(name: str, setting: Setting, out: Path, pack: Path) -> float:
    """Images per second of facenet_lit.train, over its windows of ten steps behind the first."""
    shutil.rmtree(out, ignore_errors=True)  # what a kill left
    arguments = [f"model.arguments.{key}={value}" for key, value in NETWORKS[name].items()]
    command = [
        sys.executable, "-m", "facenet_lit.train", "data=packed", f"data.root={pack}", f"model={name}", *arguments,
        "model.embedding_size=512", "model.head=batchnorm", "loss=semi_hard_mean", "sampler=pk",
        f"sampler.identities={setting.rows // EACH}", f"sampler.images={EACH}", "sampler.singles=0",
        f"data.batch_size={setting.rows}", "augmentation.where=device", f"trainer={setting.accelerator}",
        f"trainer.steps={WARM + setting.steps}", "trainer.val_every_steps=100000", "test=false", "~callbacks",
        "logger=csv", f"hydra.run.dir={out}",
    ]  # fmt: skip
    subprocess.run(command, check=True)
    with (out / "metrics.csv").open(newline="") as file:
        told = [row["train/images_per_second"] for row in csv.DictReader(file)]
    windows = [float(value) for value in told if value]
    return statistics.harmonic_mean(windows[1:] or windows)  # of equal images each: that of all of them


def loop(name: str, setting: Setting, pack: Path) -> float:
    """Images per second of a plain loop over one batch that is on the device."""
    network = lay_out(embedder(name)).to(setting.device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
    numbers = range(setting.rows)
    pictures = read_pack(pack)
    images = torch.from_numpy(np.stack([pictures.record(number) for number in numbers]))
    images = images.permute(0, 3, 1, 2).to(setting.device)
    people = torch.arange(setting.rows, device=setting.device) // EACH
    start = 0.0
    for step in range(WARM + setting.steps):
        if step == WARM:
            start = clock(setting.device)
        with setting.autocast:
            embeddings = network(images)
        optimizer.zero_grad()
        loss_of(embeddings.float(), people).backward()
        optimizer.step()
    return setting.rows * setting.steps / (clock(setting.device) - start)


def clock(device: torch.device) -> float:
    """Seconds, when all that was asked of the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()
