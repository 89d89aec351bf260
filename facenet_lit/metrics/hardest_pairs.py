"""The closest impostor pairs and the farthest genuine pairs, found in tiles."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from facenet_lit.batch import IntArray
from facenet_lit.errors import check_integer
from facenet_lit.metrics.exact_distances import FARTHEST, ExactDistances, FloatArray, distances
from facenet_lit.metrics.pair_scoring import BLOCK, tiles, unique_rows


class FoundPairs(NamedTuple):
    """Some pairs, the hardest first.

    Attributes:
        numbers: (K, 2) image numbers, the smaller one first.
        distances: (K,) float32 Euclidean distances.
    """

    numbers: IntArray
    distances: FloatArray


class HardestPairs(NamedTuple):
    """The pairs that are hardest to decide right.

    Attributes:
        impostor: the closest ones.
        genuine: the farthest ones.
    """

    impostor: FoundPairs
    genuine: FoundPairs


def hardest_pairs(embeddings: Tensor, identities: Tensor, numbers: Tensor, count: int) -> HardestPairs:
    """The ``count`` closest impostor and farthest genuine pairs of all, ties by image numbers.

    Takes the arguments of :func:`unique_rows`, unit vectors; distances are those of :func:`score_all_pairs`. Memory is
    that of the embeddings once more and of two tiles; a tile that holds nothing harder than what is known costs its
    product and one look at it.

    Args:
        embeddings: (N, D).
        identities: (N,) integers.
        numbers: (N,) integers, the image numbers.
        count: most pairs of each kind, 1 to 1,000.

    Raises:
        UserError: the shapes don't fit, embeddings aren't finite or longer than unit vectors, or ``count`` is out
            of range.
    """
    check_integer("count", count, 1, 1000)
    rows = unique_rows(embeddings, identities, numbers)
    exact, people = ExactDistances(rows.embeddings), rows.identities
    impostor, genuine = _Hardest(count), _Hardest(count)
    for down, across in tiles(len(people)):
        steps = exact.tile(down, across)  # (R, C)
        same = people[down, None] == people[None, across]
        later = torch.arange(down.start, down.stop)[:, None] < torch.arange(across.start, across.stop)
        impostor.add(steps.masked_fill(same | ~later, FARTHEST), down.start, across.start)
        if bool(same.any()):
            # The farther, the fewer steps to go: the hardest are the least of either kind.
            genuine.add(
                (FARTHEST - 1 - steps).masked_fill(~same | ~later, FARTHEST), down.start, across.start
            )
    return HardestPairs(
        impostor.found(rows.numbers.numpy(), False), genuine.found(rows.numbers.numpy(), True)
    )


class _Hardest:
    """The least numbers of tiles, and where they stand: ties by row, then by column."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._kept: list[tuple[int, int, int]] = []  # ascending

    def add(self, steps: Tensor, first_row: int, first_column: int) -> None:
        """Looks at a tile; ``FARTHEST`` is passed over."""
        most = self._kept[-1][0] if len(self._kept) == self._count else FARTHEST - 1
        if int(steps.min()) > most:
            return
        # One integer orders them: the steps, then the place in the tile.
        place = torch.arange(steps.numel())
        keys = (steps.reshape(-1).long() * BLOCK**2).add_(place)
        least = torch.topk(keys, min(self._count, len(keys)), largest=False).values
        for key in least.tolist():
            number, at = divmod(key, BLOCK**2)
            if number < FARTHEST:
                row, column = divmod(at, steps.shape[1])
                self._kept.append((number, first_row + row, first_column + column))
        self._kept = sorted(self._kept)[: self._count]

    def found(self, numbers: IntArray, turned: bool) -> FoundPairs:
        """What was found, by image numbers; ``turned`` says that steps were counted from the farthest."""
        kept = np.array(self._kept, np.int64).reshape(-1, 3)
        steps = FARTHEST - 1 - kept[:, 0] if turned else kept[:, 0]
        return FoundPairs(numbers[kept[:, 1:]], distances(torch.from_numpy(steps)))
