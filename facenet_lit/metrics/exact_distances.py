"""Distances of unit vectors that are one number for the same two vectors, whichever way they are computed.

A sum of floats depends on the order of its terms, so a matrix product depends on its shape and on the
machine, and |x|^2 + |y|^2 - 2 x.y leaves up to 0.001 between equal vectors. Here every coordinate is first
rounded to a multiple of 2^-25. In that unit all products of unit vectors and their sums are integers below
2^53, which float64 holds without rounding in any order.

Guaranteed for vectors no longer than 2: a pair's distance depends on its two vectors alone, not on the
others, on blocks or on threads; equal vectors are at exactly 0; and what the rounding moves, at most 2^-26 a
coordinate, is less than a float32 embedding is known by.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

FloatArray = npt.NDArray[np.float32]

UNIT = 2.0**-25


class ExactDistances:
    """Euclidean distances of the rows of a matrix.

    Args:
        embeddings: (N, D) unit vectors on the CPU.
    """

    def __init__(self, embeddings: Tensor) -> None:
        self._points = embeddings.detach().double().div(UNIT).round()  # integers
        self._norms = self._points.square().sum(1)

    def block(self, start: int, stop: int) -> FloatArray:
        """(stop - start, N - start) distances of rows ``start`` to ``stop`` to all from ``start`` on."""
        sums = self._norms[start:stop, None] + self._norms[None, start:]
        # Validation may run under autocast, which knows nothing of exactness.
        with torch.autocast("cpu", enabled=False):
            return _roots(sums.addmm_(self._points[start:stop], self._points[start:].T, alpha=-2))

    def listed(self, first: Tensor, second: Tensor) -> FloatArray:
        """(P,) distances of rows ``first`` (P,) to rows ``second`` (P,)."""
        return _roots((self._points[first] - self._points[second]).square().sum(1))


def _roots(squares: Tensor) -> FloatArray:
    # NumPy's root is the nearest float64 to the true one on every machine, which others need not be. Vectors
    # longer than 2 may be rounded to below 0.
    roots: FloatArray = (np.sqrt(squares.clamp_min_(0).numpy()) * UNIT).astype(np.float32)
    return roots
