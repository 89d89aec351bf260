"""The metric that collects embeddings over batches and processes, and tells the figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed
from torch import Tensor
from torchmetrics import Metric

from facenet_lit.batch import Rows
from facenet_lit.errors import check_number
from facenet_lit.metrics.figures import check_fars, figures
from facenet_lit.metrics.pair_scoring import score_all_pairs, unique_rows
from facenet_lit.metrics.scored_pairs import ScoredPairs


class VerificationMetric(Metric):
    """Collects embeddings over batches and processes and gives the figures over all their pairs.

    A repeated image, such as those with which samplers pad the last batch, counts once.

    Attributes:
        pairs: the scored pairs of the last compute, None before it. They outlast :meth:`reset`.

    Args:
        threshold: distance at which TAR and FAR are given.
        fars: FARs at which TAR is given.

    Raises:
        UserError: threshold or fars are out of range.
    """

    full_state_update = False
    is_differentiable = False
    higher_is_better = None

    embeddings: list[Tensor]
    identities: list[Tensor]
    numbers: list[Tensor]

    def __init__(self, threshold: float, fars: Sequence[float]) -> None:
        super().__init__(dist_sync_fn=_gather)
        self.threshold = check_number("metrics.threshold", threshold)
        self.fars = check_fars(fars)
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

    def compute(self) -> dict[str, float | None]:
        """The figures over all pairs of all processes; see :func:`figures`.

        Raises:
            UserError: embeddings aren't finite.
        """
        # A list of batches, or one tensor after the processes were gathered.
        states = (self.embeddings, self.identities, self.numbers)
        columns = [state if isinstance(state, Tensor) else _joined(state) for state in states]
        if not columns[0].numel():
            columns = [torch.empty(0, 0), torch.empty(0).long(), torch.empty(0).long()]
        self._rows = unique_rows(*columns)
        self.pairs = score_all_pairs(*self._rows[:3])
        return figures(self.pairs, self.threshold, self.fars)

    def collected(self) -> Rows:
        """The rows of the last compute, of all processes: repeats dropped, ascending by image number.

        Raises:
            RuntimeError: nothing was computed yet.
        """
        if self._rows is None:
            raise RuntimeError("collected() gives the rows of the last compute(): call that first")
        return self._rows


def _joined(parts: Sequence[Tensor]) -> Tensor:
    return torch.cat(list(parts)) if parts else torch.empty(0)


def _gather(part: Tensor, group: Any = None) -> list[Tensor]:
    """The parts of all processes.

    torchmetrics' own gathering wants equal types and dimensions, which a process without rows doesn't
    have, and the device of the process group, while embeddings are kept on the CPU.
    """
    parts: list[Tensor | None] = [None] * torch.distributed.get_world_size(group)
    torch.distributed.all_gather_object(parts, part, group=group)
    return [other for other in parts if other is not None and other.numel()] or [part]
