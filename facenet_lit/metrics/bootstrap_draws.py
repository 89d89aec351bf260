"""Replicates of a set of identities: how often each one is drawn.

The bootstrap over identities (Efron 1979; for clusters Davison & Hinkley 1997, section 3.8): of I identities I are
drawn with repeats, each with all its images. Identity i counts w_i times, so its genuine pairs weigh w_i, and the
impostor pairs of i and j weigh w_i w_j: two copies of one identity never make an impostor pair.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

SEED = 0  # the same draws for the same number of identities, whoever asks


def draw_counts(identities: int, replicates: int, seed: int = SEED) -> npt.NDArray[Any]:
    """How often each identity is drawn in each replicate.

    Args:
        identities: I, 1 or more.
        replicates: R.
        seed: of the draws.

    Returns:
        (I, R) unsigned integers, of the least type that holds the product of any two; each column adds up to I.
    """
    generator = np.random.default_rng(seed)
    counts = np.empty((identities, replicates), np.uint32)
    for replicate in range(replicates):
        drawn = generator.integers(identities, size=identities)
        counts[:, replicate] = np.bincount(drawn, minlength=identities)
    return counts.astype(np.min_scalar_type(int(counts.max(initial=1)) ** 2))
