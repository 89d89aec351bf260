"""What embedding health costs: its part of ten steps, beside the ten steps."""

from __future__ import annotations

import copy
import tempfile
from dataclasses import dataclass, field
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import torch
from benchmarks.harness import Row

from facenet_lit.batch import Batch
from facenet_lit.callbacks.embedding_health import EmbeddingHealth
from facenet_lit.checkpoint import ModelCard
from facenet_lit.loggers.tensorboard_logger import RunLogger
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.metrics.verification import VerificationMetric
from facenet_lit.mining import SemiHardMiner
from facenet_lit.precision import lay_out
from facenet_lit.verification_module import VerificationModule

SIDE, EACH = 64, 3
STEPS = 10
# Rows of a batch: of a run without any settings, and of data=lfw.
BATCHES = (75, 225)
# model=resnext
NETWORK: dict[str, Any] = {
    "depths": [1, 2, 3], "cardinality": 4, "group_width": 16, "width": 32, "expansion": 3
}  # fmt: skip


def rows() -> list[Row]:
    """Each of the two batches; what is called the peer is training itself."""
    for batch in BATCHES:
        made(batch)
    return [
        Row(
            f"embedding health over {STEPS} steps, resnext, {batch} pictures of {SIDE} px",
            partial(watched, batch),
            partial(trained, batch),
            None,
            partial(check, batch),
            f"those {STEPS} steps",
            "",
            slow_peer=True,
        )
        for batch in BATCHES
    ]


@dataclass
class Run:
    """A module with a batch and an optimiser, and a callback with what it asks of a trainer."""

    module: VerificationModule
    batch: Batch
    trainer: SimpleNamespace
    health: EmbeddingHealth = field(default_factory=partial(EmbeddingHealth, STEPS))

    def step(self) -> None:
        """A training step, without what Lightning does around it."""
        loss = self.module.score(self.batch).value
        self.trainer.optimizers[0].zero_grad()
        loss.backward()
        self.trainer.optimizers[0].step()

    def look_on(self) -> None:
        """What the callback does at a step; each tenth it looks, logs and judges."""
        optimizer = self.trainer.optimizers[0]
        self.health.on_before_optimizer_step(self.trainer, self.module, optimizer)
        self.trainer.global_step += 1
        self.health.on_train_batch_end(self.trainer, self.module, None, self.batch, 0)


@cache
def made(batch: int) -> Run:
    """A run that has done its first step."""
    torch.manual_seed(0)
    card = ModelCard("resnext", NETWORK, 128, [0.5] * 3, [0.5] * 3)
    module = VerificationModule(
        lay_out(card.build()), card, {"val": VerificationMetric(1.1, [0.1])}, SemiHardMiner(), TripletLoss(),
        TripletLoss(), torch.optim.AdamW, fixed_triplets={}, listed_pairs={},
    ).train()  # fmt: skip
    coarse = 255 * torch.rand(batch, 3, 4, 4)
    images = torch.nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bilinear").byte()
    numbers = torch.arange(batch)
    trainer = SimpleNamespace(
        global_step=0, fit_loop=SimpleNamespace(total_batch_idx=0), accumulate_grad_batches=1,
        loggers=[RunLogger(tempfile.mkdtemp())], optimizers=[torch.optim.AdamW(module.parameters(), fused=True)],
        gradient_clip_val=None,
    )  # fmt: skip
    run = Run(module, Batch(images, numbers // EACH, numbers, None), trainer)
    run.step()
    return run


def trained(batch: int) -> None:
    """The steps."""
    for _ in range(STEPS):
        made(batch).step()


def watched(batch: int) -> None:
    """The callback's part of them."""
    for _ in range(STEPS):
        made(batch).look_on()


def check(batch: int) -> None:
    """It looked once, and saw what it did not change."""
    run = made(batch)
    before = copy.deepcopy(run.module.state_dict())
    start = run.trainer.global_step
    watched(batch)
    assert run.trainer.global_step == start + STEPS
    assert run.health.state_dict()["past"]["looks"] == run.trainer.global_step // STEPS
    assert all(torch.equal(before[name], value) for name, value in run.module.state_dict().items())
