"""A step's random numbers depend on (seed, step) alone."""

from __future__ import annotations

import lightning as L
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from facenet_lit.callbacks.seeded_steps import SeededSteps, step_seed

pytestmark = pytest.mark.filterwarnings("ignore")


class Drawing(L.LightningModule):
    """Keeps what each step draws, and draws some between them, as a data loader does."""

    def __init__(self, between: int) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.between = between
        self.drawn: list[float] = []

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        self.drawn.append(torch.rand(()).item())
        torch.rand(self.between)
        return self.layer(batch).sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def drawn(seed: int, between: int, accumulate: int = 1) -> list[float]:
    module = Drawing(between)
    trainer = L.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, max_steps=5, callbacks=[SeededSteps(seed)],
        accumulate_grad_batches=accumulate,
    )  # fmt: skip
    trainer.fit(module, DataLoader(torch.ones(3, 1)))
    return module.drawn


def test_steps_draw_the_same_whatever_came_before() -> None:
    first = drawn(0, between=0)
    assert len(set(first)) == 5
    assert drawn(0, between=7) == first
    assert not set(drawn(1, between=0)) & set(first)


def test_a_step_of_several_batches_draws_for_each() -> None:
    assert drawn(0, between=0, accumulate=2)[:5] == drawn(0, between=0)


def test_seeds_differ() -> None:
    assert len({step_seed(seed, step) for seed in range(30) for step in range(30)}) == 900
