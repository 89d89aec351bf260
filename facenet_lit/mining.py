"""Miners: turn the rows of a batch into triplets. They know no loss and no sampler."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from facenet_lit.batch import Rows
from facenet_lit.distances import pair_blocks, paired_distances
from facenet_lit.errors import UserError, check_flag
from facenet_lit.integer_search import closest_above, first_smallest, ordered_bits, places
from facenet_lit.precision import in_full

MANY = (
    128  # positives of an anchor, from which on to sort its negatives is faster than to look at all for each
)


class Miner(ABC):
    """Chooses the triplets of a batch; a new miner is one method, ``mine``.

    Shapes are checked here, once for all miners. Mining takes no gradient, and distances are computed in
    float32 at least, whatever the network's precision: the 8 bits of a bfloat16 can't order them.

    Attributes:
        name: the miner's name in the configuration.
        needs_given: it works on drawn triplets, so it needs ``sampler=triplets``.
    """

    name: ClassVar[str]
    needs_given: ClassVar[bool] = False

    @torch.no_grad()
    def __call__(self, anchors: Rows, rows: Rows, given: Tensor | None = None) -> Tensor:
        """Chooses triplets.

        Args:
            anchors: the A rows to choose for: any subset of ``rows``, in any order. The same image is
                recognised by its number.
            rows: the B rows from which positives and negatives are taken.
            given: (G, 3) drawn triplets, or None; columns as in the result.

        Returns:
            (T, 3) int64: column 0 indexes ``anchors``, columns 1 and 2 (positive, negative) index ``rows``.

        Raises:
            UserError: the miner needs drawn triplets and there are none.
            ValueError: the shapes do not fit.
        """
        _check_rows("anchors", anchors)
        _check_rows("rows", rows)
        if anchors.embeddings.shape[1] != rows.embeddings.shape[1]:
            sizes = f"{anchors.embeddings.shape[1]} and {rows.embeddings.shape[1]}"
            raise ValueError(f"anchors and rows have embeddings of sizes {sizes}: expected equal sizes")
        with torch.autocast(anchors.embeddings.device.type, enabled=False):
            return self.mine(
                anchors._replace(embeddings=in_full(anchors.embeddings)),
                rows._replace(embeddings=in_full(rows.embeddings)),
                self._drawn(given, anchors),
            )

    @abstractmethod
    def mine(self, anchors: Rows, rows: Rows, given: Tensor) -> Tensor:
        """Chooses triplets, as ``__call__``; arguments are checked, embeddings in float32 or finer.

        ``given`` is empty where the sampler draws no triplets.
        """

    def _drawn(self, given: Tensor | None, anchors: Rows) -> Tensor:
        """The given triplets, checked; none where there may be none."""
        if given is None:
            if self.needs_given:
                raise UserError(
                    f"miner={self.name}: expected drawn triplets; set sampler=triplets, or miner=semi_hard"
                )
            return anchors.identities.new_empty((0, 3))
        if given.ndim != 2 or given.shape[1] != 3:
            raise ValueError(f"given has shape {tuple(given.shape)}: expected (T, 3)")
        return given


class GivenMiner(Miner):
    """The triplets as drawn."""

    name = "given"
    needs_given = True

    def mine(self, anchors: Rows, rows: Rows, given: Tensor) -> Tensor:
        """Returns ``given``."""
        return given


class MaskedMiner(Miner):
    """The triplets as drawn, kept where d(a, p) < d(a, n)."""

    name = "masked"
    needs_given = True

    def mine(self, anchors: Rows, rows: Rows, given: Tensor) -> Tensor:
        """Returns the rows of ``given`` whose positive is nearer than their negative."""
        anchor, positive, negative = given.unbind(1)
        chosen = anchors.embeddings[anchor]
        genuine = paired_distances(chosen, rows.embeddings[positive], squared=True)
        impostor = paired_distances(chosen, rows.embeddings[negative], squared=True)
        return given[genuine < impostor]


class BatchMiner(Miner):
    """Mines the genuine and impostor pairs of the batch itself; a new one is one method, ``choose``.

    Squaring distances does not change their order, so there is no such setting. Ties go to the smallest row,
    and an anchor without any positive or any negative gives no triplet.

    Args:
        views: two rows of one image, augmented each in its own way, are a genuine pair as well. In evaluation
            they never are.
    """

    def __init__(self, views: bool = False) -> None:
        self.views = check_flag("miner.views", views)

    def mine(self, anchors: Rows, rows: Rows, given: Tensor) -> Tensor:
        """Tells which pairs are what, and leaves the choice to ``choose``; some anchors at a time, for memory."""
        found = [rows.numbers.new_empty((0, 3))]
        for block in pair_blocks(anchors, rows, squared=True, views=self.views):
            triplets = self.choose(block.distances, block.genuine, block.impostor)
            triplets[:, 0] += block.anchors.start
            found.append(triplets)
        return torch.cat(found)

    @abstractmethod
    def choose(self, distances: Tensor, genuine: Tensor, impostor: Tensor) -> Tensor:
        """Chooses triplets, of some of the anchors.

        Args:
            distances: (A, B) squared distance of each anchor to each row.
            genuine: (A, B) whether they are a genuine pair.
            impostor: (A, B) whether they are an impostor pair.

        Returns:
            (T, 3) anchors, positives and negatives.
        """


class SemiHardMiner(BatchMiner):
    """For every genuine (a, p) the closest negative with d(a, n) > d(a, p), else the farthest negative.

    Schroff, Kalenichenko and Philbin, FaceNet, 2015, section 3.2, over all genuine pairs of the batch. Time is
    O(A B) for each of an anchor's positives; where they are many the negatives are sorted.
    """

    name = "semi_hard"

    def choose(self, distances: Tensor, genuine: Tensor, impostor: Tensor) -> Tensor:
        """Returns one triplet per genuine pair, in the order of (anchor, positive)."""
        # Of integers the first smallest is found several times as fast. -1 stands for what is no negative.
        bits = ordered_bits(distances)  # (A, B)
        negatives = bits.where(impostor, -1)
        farthest = first_smallest(~negatives)  # (A,), ~ turns the order round
        # How many there are is all that the host asks a GPU for.
        anchor, positive = places(genuine & impostor.gather(1, farthest[:, None]))
        if len(anchor) > MANY * len(distances):
            ordered, order = negatives.sort(dim=1, stable=True)
            place = torch.searchsorted(ordered, bits, right=True)[anchor, positive]  # (P,)
            found = place < bits.shape[1]
            closest = order[anchor, place.clamp_max(bits.shape[1] - 1)]
        else:
            closest, found = closest_above(bits[anchor, positive], negatives, anchor)
        return torch.stack([anchor, positive, closest.where(found, farthest[anchor])], 1)


class HardMiner(BatchMiner):
    """For every anchor the farthest positive and the closest negative: "batch hard".

    Hermans, Beyer and Leibe, In Defense of the Triplet Loss, 2017, section 2, equation 5.
    """

    name = "hard"

    def choose(self, distances: Tensor, genuine: Tensor, impostor: Tensor) -> Tensor:
        """Returns one triplet per anchor that has both, in the order of the anchors."""
        anchor = (genuine.any(1) & impostor.any(1)).nonzero().squeeze(1)
        # Of equal values both functions give the first.
        positive = distances[anchor].masked_fill(~genuine[anchor], -torch.inf).argmax(1)
        negative = distances[anchor].masked_fill(~impostor[anchor], torch.inf).argmin(1)
        return torch.stack([anchor, positive, negative], 1)


class AllMiner(BatchMiner):
    """Every valid (a, p, n): "batch all" (Hermans et al. 2017, section 2, equation 6).

    Their number is that of the genuine pairs times the impostors of each anchor, so it grows with the cube of
    the batch.
    """

    name = "all"

    def choose(self, distances: Tensor, genuine: Tensor, impostor: Tensor) -> Tensor:
        """Returns them in the order of (anchor, positive, negative)."""
        anchor, positive = genuine.nonzero(as_tuple=True)
        pair, negative = impostor[anchor].nonzero(as_tuple=True)
        return torch.stack([anchor[pair], positive[pair], negative], 1)


def _check_rows(what: str, rows: Rows) -> None:
    """Raises ValueError where the three tensors are not (N, D), (N,), (N,)."""
    shape = rows.embeddings.shape
    if len(shape) != 2 or rows.identities.shape != shape[:1] or rows.numbers.shape != shape[:1]:
        shapes = ", ".join(str(tuple(part.shape)) for part in rows[:3])
        raise ValueError(
            f"{what} have shapes {shapes}: expected embeddings (N, D), identities (N,), numbers (N,)"
        )
