"""A training step of every backbone: channels last and the faster arithmetic, against torch's defaults."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import torch
from benchmarks.harness import Row
from torch import Tensor

from facenet_lit.backbones import build_backbone
from facenet_lit.backbones.embedder import Embedder
from facenet_lit.batch import Rows
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.precision import choose_precision, lay_out

IMAGES, EACH = 64, 4
# Side of the pictures in pixels: 64, but where a backbone is made for larger ones.
SIDES = {"resnext": 64, "inception_resnet_v1": 80, "inception": 64}


def rows() -> list[Row]:
    """A row for each backbone; and what of the last's is owed to memory that is kept."""
    *_, last = SIDES
    default = f"default layout, float32, memory given back; {_bfloat16()} on this processor"
    return [
        *(_row(name, "freed memory kept", usual, partial(check, name), default) for name in SIDES),
        # Both sides are ours.
        _row(last, "what kept memory alone brings", ours, lambda: None, "ours, memory given back"),
    ]


def _row(
    name: str, what: str, peer: Callable[[str], Step], compare: Callable[[], None], peer_name: str
) -> Row:
    return Row(
        f"{_work(name)}, {what}",
        partial(step, ours, name),
        partial(step, peer, name),
        None,
        compare,
        peer_name,
        "",
        inputs=partial(ours, name),
        keeps_memory=True,
    )


def _work(name: str) -> str:
    return f"training step, {name}, {IMAGES} pictures of {SIDES[name]} px"


def _bfloat16() -> str:
    return "bfloat16" if "bf16" in Path("/proc/cpuinfo").read_text() else "no bfloat16"


def step(side: Callable[[str], Step], name: str) -> None:
    """Takes one."""
    side(name)()


@dataclass
class Step:
    """A network with its optimiser and a batch; a call is a training step."""

    embedder: Embedder
    images: Tensor
    precision: str
    fused: bool

    def __post_init__(self) -> None:
        self.loss = SemiHardMeanLoss()
        self.optimizer = torch.optim.AdamW(self.embedder.parameters(), fused=self.fused)
        self.people = torch.arange(len(self.images)) // EACH
        self.numbers = torch.arange(len(self.images))

    def embed(self) -> Tensor:
        """Embeddings, (N, D)."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bf16"):
            return self.embedder(self.images)

    def __call__(self) -> None:
        """A forward and a backward pass, and what is learnt from it."""
        rows = Rows(self.embed(), self.people, self.numbers)
        scored = self.loss(rows, rows, torch.empty(0, 3, dtype=torch.long))
        self.optimizer.zero_grad()
        (scored.total / max(int(scored.active), 1)).backward()
        self.optimizer.step()


@cache
def ours(name: str) -> Step:
    """Channels last, in the arithmetic that a run would choose here."""
    usual_one = usual(name)
    embedder = lay_out(copy.deepcopy(usual_one.embedder))
    images = usual_one.images.to(memory_format=torch.channels_last)
    precision = choose_precision("auto", embedder, images, torch.device("cpu"))
    return Step(embedder, images, precision, True)


@cache
def usual(name: str) -> Step:
    """As torch makes it."""
    torch.manual_seed(0)
    side = SIDES[name]
    coarse = 255 * torch.rand(IMAGES, 3, 4, 4)  # noise of every pixel would look all the same to a network
    images = torch.nn.functional.interpolate(coarse, (side, side), mode="bilinear").byte()
    embedder = Embedder(build_backbone(name), 128, [0.5] * 3, [0.25] * 3).train()
    return Step(embedder, images, "32", False)


def check(name: str) -> None:
    """Before any step the layout makes no difference, and its bfloat16 is as near float32 as the default layout's."""
    mine, other = ours(name), usual(name)
    with torch.no_grad():
        expected = other.embed()
        layout = Step(mine.embedder, mine.images, "32", True).embed()
        assert (layout - expected).norm(dim=1).max() < 1e-3
        # BatchNorm at random weights magnifies rounding, so how near is near is told by the usual layout.
        rounded = Step(other.embedder, other.images, mine.precision, False).embed()
        off, usually_off, by_layout = (
            float((way - expected).norm()) for way in (mine.embed(), rounded, layout)
        )
        assert off < 1.25 * (usually_off + by_layout)
