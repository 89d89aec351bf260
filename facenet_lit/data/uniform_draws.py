"""Integers drawn uniformly below bounds that differ, several times as fast as NumPy draws them."""

from __future__ import annotations

import numpy as np

from facenet_lit.batch import IntArray

_WORDS = 1 << 32


def draw_below(bounds: IntArray, rng: np.random.Generator) -> IntArray:
    """(M,) integers, each from 0 to below its bound, all of them exactly as likely.

    A random word of 32 bits times the bound has the number in its upper half; of the lower halves as many are left out
    as would favour some numbers, and drawn again (Lemire 2019, Fast random integer generation in an interval).

    Args:
        bounds: (M,) int64, 1 or more.
        rng: draws.
    """
    count = len(bounds)
    if bounds.max(initial=0) > _WORDS:
        return rng.integers(bounds)
    words = rng.integers(1 << 64, size=(count + 1) // 2, dtype=np.uint64).view(np.uint32)[:count]
    scaled = bounds.view(np.uint64) * words
    lower = scaled.astype(np.uint32)  # cuts off the upper half
    scaled >>= np.uint64(32)
    drawn: IntArray = scaled.view(np.int64)
    again = np.flatnonzero(lower < bounds)  # as many as are left out are fewer than the bound
    again = again[lower[again] < _WORDS % bounds[again]]
    if len(again):
        drawn[again] = draw_below(bounds[again], rng)
    return drawn
