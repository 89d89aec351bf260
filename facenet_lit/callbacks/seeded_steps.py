"""Seeds every training step, so that what a network draws at random does not depend on what came before."""

from __future__ import annotations

import lightning as L
import numpy as np
import torch

from facenet_lit.batch import Batch

STEP_STREAM = 5  # keeps these seeds apart from the samplers' of the same (seed, number)


class SeededSteps(L.Callback):
    """Makes a step's dropout a function of (seed, step).

    A resumed run then drops what the unbroken one did, with no random state to keep in a checkpoint.

    Args:
        seed: 0 or more.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        """Seeds torch's generators, those of the devices too."""
        # The number of the batch is that of the step, unless a step takes several.
        torch.manual_seed(step_seed(self.seed, trainer.fit_loop.total_batch_idx))


def step_seed(seed: int, step: int) -> int:
    """The seed of a step: 64 bits, different for different (seed, step)."""
    sequence = np.random.SeedSequence([seed, step], spawn_key=(STEP_STREAM,))
    return int(sequence.generate_state(1, np.uint64)[0])
