"""Mining a batch: the mean over all of its semi-hard triplets with its gradient, and the closest of each pair."""

from __future__ import annotations

from functools import cache, partial

import torch
from benchmarks.harness import Row
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchEasyHardMiner, TripletMarginMiner
from torch import Tensor
from torch.nn.functional import normalize

from facenet_lit.batch import Rows
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.mining import SemiHardMiner

SIZE = 512  # of an embedding
IMAGES = 4  # of an identity
MARGIN = 0.2


def rows() -> list[Row]:
    """Against pytorch-metric-learning, which lists all triplets, or the closest of one positive of each anchor."""
    return [
        *(
            Row(
                f"all semi-hard triplets, forward and backward, batch of {batch:,}",
                partial(mean_of_all, batch),
                partial(mean_of_listed, batch),
                partial(product, batch),
                partial(check_mean, batch),
                "pytorch-metric-learning",
                "product of the embeddings",
                slow_peer=batch > 256,
                inputs=partial(made, batch),
            )
            for batch in (256, 1024)
        ),
        Row(
            "closest semi-hard of every pair, batch of 1,024",
            partial(closest_of_pairs, 1024),
            partial(closest_of_anchors, 1024),
            partial(product, 1024),
            partial(check_closest, 1024),
            "BatchEasyHardMiner, one per anchor",
            "product of the embeddings",
            inputs=partial(made, 1024),
        ),
    ]


@cache
def made(batch: int, dtype: torch.dtype = torch.float32) -> Rows:
    """A batch in training: images of an identity are closer to one another than to others, but not all of them."""
    generator = torch.Generator().manual_seed(0)
    numbers = torch.arange(batch)
    centres = torch.randn(batch // IMAGES, SIZE, generator=generator).repeat_interleave(IMAGES, 0)
    embeddings = normalize(0.4 * centres + torch.randn(batch, SIZE, generator=generator), dim=1)
    return Rows(embeddings.to(dtype), numbers // IMAGES, numbers)


def mean_of_all(batch: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """The mean and its gradient."""
    rows = made(batch, dtype)
    embeddings = rows.embeddings.detach().requires_grad_()
    rows = rows._replace(embeddings=embeddings)
    value = SemiHardMeanLoss(MARGIN)(rows, rows, rows.numbers.new_empty((0, 3))).value
    return value.detach(), torch.autograd.grad(value, embeddings)[0]


def mean_of_listed(batch: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """The same, of triplets that are written down; the gradient in the unit vectors' tangents."""
    rows = made(batch, dtype)
    embeddings = rows.embeddings.detach().requires_grad_()
    listed = TripletMarginMiner(margin=MARGIN, type_of_triplets="semihard")(embeddings, rows.identities)
    value = TripletMarginLoss(margin=MARGIN)(embeddings, rows.identities, listed)
    return value.detach(), torch.autograd.grad(value, embeddings)[0]


def closest_of_pairs(batch: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """(T, 3), one for every genuine pair."""
    rows = made(batch, dtype)
    return SemiHardMiner()(rows, rows)


def closest_of_anchors(batch: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """(T, 3), one for every anchor that has one: with its closest positive."""
    rows = made(batch, dtype)
    miner = BatchEasyHardMiner(pos_strategy=BatchEasyHardMiner.EASY, neg_strategy=BatchEasyHardMiner.SEMIHARD)
    anchors, positives, _, negatives = miner(rows.embeddings, rows.identities)
    return torch.stack([anchors, positives, negatives], 1)


def product(batch: int) -> Tensor:
    """(B, B) all inner products, forward only."""
    embeddings = made(batch).embeddings
    return embeddings @ embeddings.T


def check_mean(batch: int) -> None:
    """Value and gradient are equal to 1e-6, in float64, where rounding does not decide what is semi-hard."""
    (value, gradient), (theirs, tangent) = (
        way(batch, torch.float64) for way in (mean_of_all, mean_of_listed)
    )
    unit = made(batch, torch.float64).embeddings
    torch.testing.assert_close(value, theirs, rtol=1e-6, atol=0)
    # The peer normalises once more, so its gradient lacks what would lengthen the vectors.
    gradient = gradient - (gradient * unit).sum(1, keepdim=True) * unit
    assert (gradient - tangent).norm() <= 1e-6 * tangent.norm()


def check_closest(batch: int) -> None:
    """Every triplet of the peer is one of ours, in float64, where rounding does not decide."""
    ours = set(map(tuple, closest_of_pairs(batch, torch.float64).tolist()))
    theirs = set(map(tuple, closest_of_anchors(batch, torch.float64).tolist()))
    assert theirs
    assert theirs <= ours
    assert len(ours) == batch * (IMAGES - 1)
