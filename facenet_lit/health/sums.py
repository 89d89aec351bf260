"""Loss and active triplets added up over steps on their device: nothing is fetched from there until it is asked for."""

from __future__ import annotations

import math

import torch

from facenet_lit.batch import ScoredBatch
from facenet_lit.health.vitals import spread_of


class Sums:
    """What batches scored since the last look."""

    def __init__(self) -> None:
        self.batches = 0
        self._loss = torch.zeros(())
        self._active = self._considered = torch.zeros((), dtype=torch.long)
        self._least_spread = torch.tensor(torch.inf)

    def add(self, scored: ScoredBatch) -> None:
        """Takes a batch in."""
        self._loss = scored.loss + (self._loss if self.batches else 0)
        self._active = scored.active + (self._active if self.batches else 0)
        spread = spread_of(scored.rows.embeddings)
        self._least_spread = torch.minimum(spread, self._least_spread.to(spread)) if self.batches else spread
        self._considered = scored.considered + (self._considered if self.batches else 0)
        self.batches += 1

    @property
    def loss(self) -> float:
        """The mean over the batches; NaN without any."""
        return float(self._loss) / self.batches if self.batches else math.nan

    @property
    def least_spread(self) -> float:
        """Of the batches' embeddings: one that has collapsed twitches, and may lie apart just when it is looked at."""
        return float(self._least_spread)

    @property
    def active_share(self) -> float | None:
        """Of all that was considered; None where nothing was."""
        return int(self._active) / considered if (considered := int(self._considered)) else None
