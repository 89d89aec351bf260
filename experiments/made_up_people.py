"""Made-up people, of whom the true rates are known: what bounds are tried on.

Embeddings are drawn, not learnt: an identity is a direction in 16 dimensions and a spread of its own (log-normal), an
image the direction plus that spread times noise, at length 1. Identities of a data set are drawn anew from this
population, so that what holds of a share of its data sets is what bounds promise of a share of samples of people. As
an identity's images don't depend on how many there are, the true rates over pairs and the balanced ones are the same.
They are taken of 4 million genuine pairs and 40 million impostor pairs, which leaves a standard error below 0.0003.

Two runs on the same images are two copies of their embeddings, each with noise of its own of either kind: as much for
an identity, which a network knows more or less well, as for an image. Both are drawn alike, so neither is better.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import torch

from facenet_lit.batch import Rows
from facenet_lit.metrics.figures import tar_at_far_name
from facenet_lit.metrics.resampling import ACCURACY

SIZE, SPREAD, VARIES = (
    16,
    0.8,
    0.3,
)  # dimensions, and spread of an identity's images: median, and its own deviation
APART = 0.3  # spread of a run's own noise
THRESHOLD, FARS = 1.0, (0.1, 0.01)
PAIRS_EACH = 300  # listed pairs of either kind, of which accuracy is
SEED = 0

Sizes = Callable[[np.random.Generator, int], np.ndarray]


class Setting(NamedTuple):
    """Kinds of data sets: how many identities, how many images each has, and what is said of it."""

    identities: int
    sizes: Sizes
    about: str


def equal_sizes(generator: np.random.Generator, identities: int) -> np.ndarray:
    """(I,) four images each."""
    return np.full(identities, 4)


def lfw_sizes(generator: np.random.Generator, identities: int) -> np.ndarray:
    """(I,) like LFW's, where 4,069 of 5,749 identities have one image, 779 two, one 530: a power law from two on."""
    several = np.floor(2 * generator.random(identities) ** (-1 / 1.4)).clip(max=530).astype(int)
    return np.where(generator.random(identities) < 4_069 / 5_749, 1, several)


def tested_sizes(generator: np.random.Generator, identities: int) -> np.ndarray:
    """(I,) like those of LFW's view 1 test people: the largest 236 and 144, and 3,708 images of 1,711 identities."""
    sizes = lfw_sizes(generator, identities).clip(max=60)
    sizes[:2] = 236, 144
    images = identities * 3_708 // 1_711
    while sizes.sum() != images:
        places = generator.permutation(np.arange(2, identities))[: abs(sizes.sum() - images)]
        sizes[places] = np.maximum(sizes[places] + np.sign(images - sizes.sum()), 1)
    return sizes


def people(generator: np.random.Generator, identities: int) -> tuple[np.ndarray, np.ndarray]:
    """(I, D) directions and (I,) spreads."""
    directions = generator.normal(size=(identities, SIZE))
    spreads = SPREAD * np.exp(VARIES * generator.normal(size=identities))
    return directions / np.linalg.norm(directions, axis=1, keepdims=True), spreads


def pictures(generator: np.random.Generator, directions: np.ndarray, spreads: np.ndarray) -> np.ndarray:
    """(N, D) an embedding of each of N people."""
    noise = generator.normal(size=directions.shape) / np.sqrt(SIZE)
    vectors = directions + spreads[:, None] * noise
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@cache
def true_rates(rounds: int = 10, size: int = 400_000) -> dict[str, float]:
    """The population's rates, by the names of their figures over pairs, and ``threshold`` of the best accuracy."""
    generator = np.random.default_rng([SEED, 1])
    genuine, impostor = [], []
    for _ in range(rounds):
        who = people(generator, size)
        first, second = pictures(generator, *who), pictures(generator, *who)
        genuine.append(np.linalg.norm(first - second, axis=1))
        for shift in range(1, 11):  # of another identity each
            impostor.append(np.linalg.norm(first - np.roll(second, shift, axis=0), axis=1).astype(np.float32))
    near, far = np.sort(np.concatenate(genuine)), np.sort(np.concatenate(impostor))

    def tar(threshold: float) -> float:
        return float(np.searchsorted(near, threshold) / len(near))

    def wrong(threshold: float) -> float:
        return float(np.searchsorted(far, threshold) / len(far))

    grid = np.linspace(0, 2, 20_001)
    accepted, mistaken = np.searchsorted(near, grid) / len(near), np.searchsorted(far, grid) / len(far)
    meeting = np.argmin(np.abs(mistaken - (1 - accepted)))
    best = float(grid[np.argmax(accepted - mistaken)])
    rates = {"tar": tar(THRESHOLD), "far": wrong(THRESHOLD), "threshold": best}
    rates |= {tar_at_far_name(f): tar(float(far[int(f * len(far))])) for f in FARS}
    rates["eer"] = float((mistaken[meeting] + 1 - accepted[meeting]) / 2)
    return rates | {ACCURACY: (tar(best) + 1 - wrong(best)) / 2}


class DataSet(NamedTuple):
    """A sample of people, all its pairs, and a list of some."""

    rows: Rows
    listed: np.ndarray


def drawn_set(setting: Setting, number: int) -> DataSet:
    """A data set of a setting, by its number."""
    generator = np.random.default_rng([SEED, 2, number])
    directions, spreads = people(generator, setting.identities)
    identities = np.repeat(np.arange(setting.identities), setting.sizes(generator, setting.identities))
    vectors = pictures(generator, directions[identities], spreads[identities])
    rows = Rows(
        torch.from_numpy(vectors.astype(np.float32)),
        torch.from_numpy(identities),
        torch.arange(len(identities)),
    )
    return DataSet(rows, listed_pairs(generator, identities))


def listed_pairs(generator: np.random.Generator, identities: np.ndarray) -> np.ndarray:
    """(P, 2) as many pairs of either kind, each kind's identities drawn alike, as LFW's lists are made."""
    starts, counts = np.unique(identities, return_index=True, return_counts=True)[1:]
    several = np.flatnonzero(counts > 1)
    of = generator.choice(several, PAIRS_EACH)
    first = generator.integers(counts[of])
    second = (first + 1 + generator.integers(counts[of] - 1)) % counts[of]
    genuine = np.stack([starts[of] + first, starts[of] + second], axis=1)
    one = generator.integers(len(counts), size=PAIRS_EACH)
    other = (one + 1 + generator.integers(len(counts) - 1, size=PAIRS_EACH)) % len(counts)
    sides = [starts[who] + generator.integers(counts[who]) for who in (one, other)]
    return np.concatenate([genuine, np.stack(sides, axis=1)])


def two_runs(setting: Setting, number: int) -> tuple[Rows, Rows]:
    """What two runs that are equal in truth make of a data set of a setting, by its number."""
    rows, _ = drawn_set(setting, number)
    generator, identities = np.random.default_rng([SEED, 3, number]), rows.identities.numpy()
    one, other = (noisy(generator, rows.embeddings.numpy(), identities) for _ in range(2))
    return Rows(one, *rows[1:3]), Rows(other, *rows[1:3])


def noisy(generator: np.random.Generator, vectors: np.ndarray, identities: np.ndarray) -> torch.Tensor:
    """(N, D) embeddings with noise of each identity and of each image."""
    noise = generator.normal(size=vectors.shape) + generator.normal(size=(len(vectors), SIZE))[identities]
    return torch.nn.functional.normalize(torch.from_numpy(vectors + APART * noise / np.sqrt(SIZE)).float())
