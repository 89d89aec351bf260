"""Values drawn from tables of ranges."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Ranges = Mapping[str, tuple[float, float]]


def uniform(rng: np.random.Generator, ranges: Ranges) -> dict[str, float]:
    """A value of each range, drawn uniformly and independently."""
    shares = rng.random(len(ranges)).tolist()
    return {
        name: low + share * (high - low)
        for (name, (low, high)), share in zip(ranges.items(), shares, strict=True)
    }
