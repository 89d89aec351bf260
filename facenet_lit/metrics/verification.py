"""The metric that collects embeddings over batches and processes, and tells the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torchmetrics import Metric

from facenet_lit import gathering
from facenet_lit.batch import IntArray, Rows
from facenet_lit.errors import check_integer, check_number
from facenet_lit.metrics.bounds import Bounded, bounded
from facenet_lit.metrics.figures import check_fars, figures
from facenet_lit.metrics.pair_scoring import score_all_pairs, unique_rows
from facenet_lit.metrics.scored_pairs import ScoredPairs

LEAST_REPLICATES = 100
MOST_WHILE_TRAINING = (
    4096  # images of which each validation tells bounds: twice as many take four times as long
)


class VerificationMetric(Metric):
    """Collects embeddings over batches and processes and gives the figures over all their pairs.

    A repeated image, such as those with which samplers pad the last batch, counts once.

    Attributes:
        pairs: the scored pairs of the last compute, None before it; of several processes the first has them.
            They outlast :meth:`reset`.

    Args:
        threshold: distance at which TAR and FAR are given.
        fars: FARs at which TAR is given.
        bounds: replicates that the bounds of final figures are from, 0 for none.
        val_bounds: likewise, of figures told while a run trains.

    Raises:
        UserError: one is out of range.
    """

    full_state_update = False
    is_differentiable = False
    higher_is_better = None

    embeddings: list[Tensor]
    identities: list[Tensor]
    numbers: list[Tensor]

    def __init__(self, threshold: float, fars: Sequence[float], bounds: int = 0, val_bounds: int = 0) -> None:
        super().__init__(sync_on_compute=False)  # what is kept may be on another device than the group's
        self.threshold = check_number("metrics.threshold", threshold)
        self.fars = check_fars(fars)
        self.replicates = {False: check_replicates("bounds", bounds)}
        self.replicates[True] = check_replicates("val_bounds", val_bounds)
        self.pairs: ScoredPairs | None = None
        self._rows: Rows | None = None
        for state in ("embeddings", "identities", "numbers"):
            self.add_state(state, default=[], dist_reduce_fx="cat")

    def update(self, embeddings: Tensor, identities: Tensor, numbers: Tensor) -> None:
        """Adds the rows of a batch; they are kept in float32 on the CPU.

        Args:
            embeddings: (N, D).
            identities: (N,) integers.
            numbers: (N,) image numbers.
        """
        self.embeddings.append(embeddings.detach().to("cpu", torch.float32))
        self.identities.append(identities.detach().to("cpu", torch.int64))
        self.numbers.append(numbers.detach().to("cpu", torch.int64))

    def rows_not_finite(self) -> int:
        """How many of the rows collected by all processes hold NaN or infinity."""
        own = sum(int((~part.isfinite()).any(1).sum()) for part in self.embeddings)
        return int(gathering.sum_of(torch.tensor(own)))

    def compute(self) -> dict[str, float | None]:
        """The figures over all pairs of all processes; see :func:`figures`.

        Raises:
            UserError: embeddings aren't finite.
        """
        columns = [_joined(state, empty) for state, empty in self._states()]
        columns = [gathering.gather_to_first(column) for column in columns]
        result: dict[str, float | None] = gathering.done_by_first(lambda: self._score(*columns))
        return result

    def collected(self) -> Rows:
        """The rows of the last compute, of all processes: repeats dropped, ascending by image number.

        Raises:
            RuntimeError: nothing was computed yet, or this is not the first process.
        """
        if self._rows is None:
            raise RuntimeError(
                "collected() gives the rows of the last compute(): call that first; only the first process has them"
            )
        return self._rows

    def bounded(
        self,
        told: Mapping[str, float | None],
        training: bool = False,
        listed: IntArray | None = None,
        judged_at: float | None = None,
    ) -> Bounded:
        """The bounds of figures of the last compute, on the first process; see :func:`bounded`.

        Args:
            told: the figures by name.
            training: they are of a validation while a run trains.
            listed: (P, 2) image numbers of the pairs that they are of, None for all pairs.
            judged_at: the threshold of the accuracy, None for none.
        """
        rows = self.collected()
        many = training and listed is None and len(rows.numbers) > MOST_WHILE_TRAINING
        replicates = 0 if many else self.replicates[training]
        return bounded(told, rows, replicates, self.threshold, self.fars, listed, judged_at)

    def _states(self) -> tuple[tuple[list[Tensor], Tensor], ...]:
        """What was collected, and what stands for none of it."""
        none = torch.empty(0, 1, dtype=torch.long)
        return (self.embeddings, torch.empty(0, 0)), (self.identities, none), (self.numbers, none)

    def _score(self, embeddings: Tensor, identities: Tensor, numbers: Tensor) -> dict[str, float | None]:
        self._rows = unique_rows(embeddings, identities.flatten(), numbers.flatten())
        self.pairs = score_all_pairs(*self._rows[:3], device=self.device)  # where the network is
        return figures(self.pairs, self.threshold, self.fars)


def check_replicates(name: str, value: object) -> int:
    """Returns a number of replicates: 0 for no bounds, or enough for the 2.5% at either end.

    Raises:
        UserError: it is neither.
    """
    setting = f"metrics.{name}"
    return check_integer(setting, value, 0 if value == 0 else LEAST_REPLICATES)


def _joined(parts: Sequence[Tensor], empty: Tensor) -> Tensor:
    """(N, W) the collected parts, those of one dimension as a column."""
    return torch.cat([part.reshape(len(part), -1) for part in parts if len(part)] or [empty])
