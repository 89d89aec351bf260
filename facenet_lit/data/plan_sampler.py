"""What training samplers share: the epoch, and where in it iteration begins."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import islice

from torch.utils.data import Sampler

from facenet_lit.batch import BatchPlan


class PlanSampler(Sampler[BatchPlan], ABC):
    """Batches of an epoch; a new sampler is ``plans`` and ``__len__``.

    Attributes:
        epoch: the epoch that iteration gives.
    """

    epoch: int = 0
    _skipped: int = 0

    @abstractmethod
    def plans(self, epoch: int) -> Iterator[BatchPlan]:
        """Yields the batches of an epoch, whichever is the current one: a pure function of (seed, epoch)."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of batches of an epoch."""

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch that iteration gives; Lightning calls it."""
        self.epoch = epoch

    def skip(self, batches: int) -> None:
        """Leaves out the first batches of the next iteration: those that a resumed run has behind it."""
        self._skipped = batches

    def __iter__(self) -> Iterator[BatchPlan]:
        # A generator, so that the skip is spent at the first plan: a DataLoader with workers makes two
        # iterators, and reads the second.
        skipped, self._skipped = self._skipped, 0
        yield from islice(self.plans(self.epoch), skipped, None)
