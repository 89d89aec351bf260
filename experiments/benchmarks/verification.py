"""TAR at four FARs over all pairs of 10,000 images."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from itertools import combinations_with_replacement

import numpy as np
import torch
from benchmarks.harness import Row
from sklearn.metrics import roc_curve
from torch import Tensor
from torchmetrics.functional.classification import binary_roc

from facenet_lit.metrics import rates
from facenet_lit.metrics.exact_distances import STEP
from facenet_lit.metrics.pair_scoring import score_all_pairs

IMAGES, SIZE, EACH = 10_000, 512, 10
COMPARED = 1_500  # so many images the results are compared on
FARS = (0.1, 0.01, 0.001, 0.0001)
BLOCK = 512

Curve = Callable[[Tensor, Tensor], tuple[np.ndarray, np.ndarray]]


def rows() -> list[Row]:
    """Against scikit-learn, and against torchmetrics; and beside the products of the tiles that we compare."""
    work = f"TAR at {len(FARS)} FARs, all pairs, {IMAGES:,} x {SIZE}"
    peers = {"scikit-learn": partial(usual, by_scikit_learn), "torchmetrics": partial(usual, by_torchmetrics)}
    bound = "product of all rows with all, in blocks, float32: every pair twice"
    once = "products of the upper triangle's blocks, float32: every pair once"
    first = next(iter(peers.values()))
    return [
        *(
            Row(
                f"{work}: {name}",
                ours,
                peer,
                product,
                partial(check, peer),
                name,
                bound,
                slow_peer=True,
                inputs=made,
            )
            for name, peer in peers.items()
        ),
        Row(f"{work}: every pair once", ours, None, triangle, partial(check, first), "", once, inputs=made),
    ]


@cache
def made(images: int | None = None) -> tuple[Tensor, Tensor]:
    """(N, D) unit vectors that are near each other where they are of one identity, and (N,) identities."""
    generator = torch.Generator().manual_seed(0)
    images = images or IMAGES
    identities = torch.arange(images) // EACH
    centres = torch.randn(int(identities[-1]) + 1, SIZE, generator=generator)
    noise = torch.randn(images, SIZE, generator=generator)
    return torch.nn.functional.normalize(centres[identities] + 2.2 * noise), identities


def ours(images: int | None = None) -> list[float | None]:
    """By counted distances."""
    embeddings, identities = made(images)
    pairs = score_all_pairs(embeddings, identities, torch.arange(len(identities)))
    return [rates.tar_at_far(pairs, f) for f in FARS]


def usual(curve: Curve, images: int | None = None) -> list[float]:
    """Every pair's distance, and a ROC curve of them by a library."""
    embeddings, identities = made(images)
    first, second = torch.triu_indices(len(identities), len(identities), 1)
    distances = (2 - 2 * (embeddings @ embeddings.T)[first, second]).clamp_min_(0).sqrt_()
    return read(*curve(distances, identities[first] == identities[second]))


def by_scikit_learn(distances: Tensor, genuine: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """FARs and TARs at every threshold."""
    fars, tars, _ = roc_curve(genuine.numpy(), -distances.numpy(), drop_intermediate=False)
    return fars, tars


def by_torchmetrics(distances: Tensor, genuine: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """FARs and TARs at every threshold; of scores between 0 and 1, to others it applies a sigmoid."""
    fars, tars, _ = binary_roc(1 - distances / 2, genuine.long())
    return fars.numpy(), tars.numpy()


def read(fars: np.ndarray, tars: np.ndarray) -> list[float]:
    """The largest TAR whose FAR is at most each of ``FARS``."""
    return [float(tars[fars <= f * (1 + 1e-7)].max()) for f in FARS]


def product() -> None:
    """The product of all rows with all, a block at a time: that of every pair twice."""
    embeddings, _ = made()
    for row in embeddings.split(BLOCK):
        for column in embeddings.split(BLOCK):
            row @ column.T


def triangle() -> None:
    """The product of every pair once, twice only in the blocks on the diagonal."""
    for row, column in combinations_with_replacement(made()[0].split(BLOCK), 2):
        row @ column.T


def check(peer: Callable[[int], list[float]]) -> None:
    """On fewer images: on our distances scikit-learn finds the same to the last digit, the peer on its own nearly."""
    embeddings, identities = made(COMPARED)
    pairs = score_all_pairs(embeddings, identities, torch.arange(COMPARED))
    impostor = pairs.impostor.values()
    genuine = torch.arange(len(pairs.genuine) + len(impostor)) < len(pairs.genuine)
    distances = torch.from_numpy(np.concatenate([pairs.genuine, impostor]))
    found = ours(COMPARED)
    assert found == read(*by_scikit_learn(distances, genuine))
    first, second = torch.triu_indices(COMPARED, COMPARED, 1)
    true = torch.cdist(embeddings.double(), embeddings.double())[first, second].numpy()
    assert np.abs(np.sort(distances.numpy()) - np.sort(true)).max() < STEP
    np.testing.assert_allclose(peer(COMPARED), found, atol=1e-3)
