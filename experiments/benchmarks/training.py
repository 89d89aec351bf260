"""Images per second of whole training, loader included: ours, Lightning's defaults, and a plain loop, on a GPU.

    python experiments/benchmarks/training.py OUT [accelerator=gpu] [steps=60] [rows=512] [images=20000] [workers=8]

For resnext (ResNeXt-50, 32x4d) and inception_resnet_v1, at 112 and 160 px, on drawn faces that are packed first. Ours
is facenet_lit.train with the default arithmetic, augmentation on the device. Lightning's defaults are its Trainer on
the same network, pictures one by one by so many workers, flipped and normalised by torchvision, float32. The plain
loop has one batch on the device, in our arithmetic and layout: no loader, and so the bound. Each part is written to
OUT/training.json when it is done; the same command goes on with the rest. The share of the loop's speed is that of
the time in which the device computes; utilisation is of the speed of a product of two matrices of 8,192 in the same
arithmetic.
"""

from __future__ import annotations

import csv
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from facenet_lit.backbones import build_backbone
from facenet_lit.backbones.embedder import Embedder
from facenet_lit.batch import Rows
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.precision import lay_out
from facenet_lit.provenance import commit, machine
from facenet_lit.run_folder import write_atomically
from facenet_lit.sources.pack_files import ABOUT, Pack, read_pack

EACH = 4  # images of a person, in the pack and in a batch
SIDES = (112, 160)
NETWORKS: dict[str, dict[str, Any]] = {
    "resnext": {"depths": [3, 4, 6, 3], "cardinality": 32, "group_width": 4, "width": 64, "expansion": 4},
    "inception_resnet_v1": {},
}
WARM = 10  # steps that are not counted
PRODUCT = 8192


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


def rows_of(embeddings: Tensor, people: Tensor) -> Rows:
    """A batch's rows, each of an image of its own."""
    return Rows(embeddings, people, torch.arange(len(people), device=people.device))


def loss_of(embeddings: Tensor, people: Tensor) -> Tensor:
    """The mean over every semi-hard triplet, the same for all three."""
    rows = rows_of(embeddings, people)
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
        """Notes the time."""
        self.ends.append(time.perf_counter())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """As most do."""
        return torch.optim.AdamW(self.parameters(), lr=1e-3)


def lightning(name: str, pack: Path, setting: Setting) -> float:
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
    if setting.accelerator == "gpu":
        torch.cuda.synchronize()
    return setting.rows * setting.steps / (time.perf_counter() - module.ends[WARM - 1])


def ours(name: str, pack: Path, setting: Setting, out: Path) -> float:
    """Images per second of facenet_lit.train, the median of its windows of ten steps behind the first."""
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
    return statistics.median(windows[1:] or windows)


def loop(name: str, pack: Path, setting: Setting) -> float:
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
            start = clock(setting)
        with setting.autocast:
            embeddings = network(images)
        optimizer.zero_grad()
        loss_of(embeddings.float(), people).backward()
        optimizer.step()
    return setting.rows * setting.steps / (clock(setting) - start)


def clock(setting: Setting) -> float:
    """Seconds, when all that was asked of the device is done."""
    if setting.accelerator == "gpu":
        torch.cuda.synchronize()
    return time.perf_counter()


def flops_of_an_image(name: str, side: int) -> int:
    """Operations of a forward and a backward pass, a multiplication and an addition counted as two."""
    network = embedder(name)
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(2, 3, side, side, dtype=torch.uint8)).sum().backward()
    return int(counter.get_total_flops()) // 2


def product_speed(setting: Setting, size: int = PRODUCT) -> float:
    """Operations per second of a product of two square matrices in our arithmetic, the best of five."""
    kind = torch.bfloat16 if setting.accelerator == "gpu" else torch.float32
    factor = torch.ones(size, size, dtype=kind, device=setting.device)
    seconds = []
    for _ in range(6):
        start = clock(setting)
        factor @ factor
        seconds.append(clock(setting) - start)
    return 2 * size**3 / min(seconds[1:])


def write_pack(out: Path, side: int, images: int) -> Path:
    """A pack of drawn faces, made once."""
    target = out / f"packs{side}"
    command = [
        sys.executable, "-m", "facenet_lit.prepare", "data=synthetic", f"data.size={side}",
        f"data.identities={images // EACH}", f"data.images={EACH}", f"data.cache={target}",
    ]  # fmt: skip
    if not target.is_dir():
        subprocess.run(command, check=True)
    return next(path for path in target.iterdir() if (path / ABOUT).is_file())


def parts(out: Path, setting: Setting) -> Iterator[tuple[str, Callable[[], dict[str, float]]]]:
    """Every part by its name, and what measures it."""
    yield "product", lambda: {"flops_per_second": product_speed(setting)}
    for side in SIDES:
        for name in NETWORKS:
            label = f"{name} {side}"
            yield f"{label} flops", lambda n=name, s=side: {"per_image": flops_of_an_image(n, s)}
            for way, measure in (("loop", loop), ("lightning", lightning)):
                yield (
                    f"{label} {way}",
                    lambda n=name, s=side, m=measure: {
                        "images_per_second": m(n, write_pack(out, s, setting.images), setting)
                    },
                )
            yield (
                f"{label} ours",
                lambda n=name, s=side: {
                    "images_per_second": ours(
                        n, write_pack(out, s, setting.images), setting, out / f"run-{n}-{s}"
                    )
                },
            )


def table(told: dict[str, dict[str, float]]) -> str:
    """A line for each network and size whose three ways are there."""
    ways = ("ours", "lightning", "loop", "flops")
    heads = ("network", "px", "ours, images/s", "Lightning's defaults", "plain loop, one batch", "ours / Lightning's",
             "ours / loop", "utilisation")  # fmt: skip
    lines = [heads, ["---"] * len(heads)]
    for side, name in itertools.product(SIDES, NETWORKS):
        found = [told.get(f"{name} {side} {way}") for way in ways]
        if None in found:
            continue
        ours, usual, bound, flops = (next(iter(part.values())) for part in found if part)
        used = ours * flops / told["product"]["flops_per_second"]
        speeds = [f"{speed:,.0f}" for speed in (ours, usual, bound)]
        lines.append([name, str(side), *speeds, f"{ours / usual:.2f}", f"{ours / bound:.2f}", f"{used:.0%}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(out: Path, setting: Setting) -> None:
    """Measures what is not there yet."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "training.json"
    told = json.loads(path.read_text()) if path.is_file() else {"machine": {**machine(), "commit": commit()}}
    for name, measure in parts(out, setting):
        if name not in told:
            told[name] = measure()
            write_atomically(path, json.dumps(told, indent=1) + "\n")
            print(name, told[name], flush=True)
    write_atomically(out / "training.md", table(told) + "\n")
    print(table(told))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    said = dict(text.split("=", 1) for text in sys.argv[2:])
    kinds = Setting.__annotations__
    main(
        Path(sys.argv[1]),
        Setting(**{name: value if name == "accelerator" else int(value) for name, value in said.items()}),
    )
