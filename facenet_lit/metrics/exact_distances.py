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
LONGEST = 2.0
_PART = 4096  # rows in float64 at a time


class ExactDistances:
    """Euclidean distances of the rows of a matrix.

    Args:
        embeddings: (N, D) unit vectors on the CPU.
    """

    def __init__(self, embeddings: Tensor) -> None:
        points = embeddings.detach().double().div(UNIT).round()  # integers
        # In 32 bits, half the memory of what is computed with, where they fit.
        self._points = points.int() if bool((points.abs() < 2**31).all()) else points
        self._norms = torch.cat([self._part(rows).square().sum(1) for rows in self._points.split(_PART)])
        self._short = bool((self._norms <= LONGEST**2).all())

    def tile(self, rows: slice, columns: slice) -> FloatArray:
        """(R, C) distances of some rows to some others, given as slices with both ends."""
        squares = self._norms[rows, None] + self._norms[None, columns]
        # Validation may run under autocast, which knows nothing of exactness.
        with torch.autocast("cpu", enabled=False):
            squares.addmm_(self._part(self._points[rows]), self._part(self._points[columns]).T, alpha=-2)
        return self._roots(squares)

    def listed(self, first: Tensor, second: Tensor) -> FloatArray:
        """(P,) distances of rows ``first`` (P,) to rows ``second`` (P,)."""
        pieces = zip(first.split(_PART), second.split(_PART), strict=True)
        squares = [
            (self._part(self._points[a]) - self._part(self._points[b])).square().sum(1) for a, b in pieces
        ]
        return self._roots(torch.cat(squares) if squares else self._norms[:0])

    def _part(self, points: Tensor) -> Tensor:
        """Some of the points as float64: multiples of the unit, whose products and sums are exact."""
        return points.double() * UNIT

    def _roots(self, squares: Tensor) -> FloatArray:
        if not self._short:  # then the sums may be rounded, to below 0 as well
            squares.clamp_min_(0)
        roots = np.empty(squares.shape, np.float32)
        # NumPy's root is the nearest float64 to the true one on every machine, which others need not be.
        np.sqrt(squares.numpy(), out=roots, casting="same_kind")
        return roots
