"""Distances of unit vectors that are one number for the same two vectors, whichever way they are computed.

A sum of floats depends on the order of its terms, so a matrix product depends on its shape and on the
machine, and |x|^2 + |y|^2 - 2 x.y leaves up to 0.001 between equal vectors. Here every coordinate is first
rounded to a multiple of 2^-25. In that unit all products of unit vectors and their sums are integers up to
2^53, which float64 holds without rounding in any order. What follows, each step of which rounds in one way only,
ends at a multiple of 2^-20: distances are so many steps, which can be counted, and float32 holds them.

So a pair's distance depends on its two vectors alone, not on the others, on blocks, threads or the device; equal
vectors are at exactly 0; and it is off that of the vectors given by half a step, 5e-7, and by what the rounding moves,
at most 2^-26 a coordinate: less than a network's float32 arithmetic leaves undecided in an embedding.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError

FloatArray = npt.NDArray[np.float32]

UNIT = 2.0**-25  # of a coordinate
STEP = 2.0**-20  # of a distance
LONGEST = 33 / 32  # so much longer than 1 may rounding make them
FARTHEST = (33 << 16) + 1  # more steps than there are between two such vectors
_BITS = int(np.float32(2**23).view(np.int32))
_FEW = 1 << 23  # numbers in all, 64 MB
_PART = 1024  # rows in float64 at a time
_LISTED = 256  # listed pairs at a time, in the cache
_ROUNDING = 1.5 * 2.0**52 * UNIT


class ExactDistances:
    """Euclidean distances of rows of a matrix, in steps of 2^-20.

    Args:
        embeddings: (N, D) unit vectors, float32.
        order: (M,) the row that comes at each place, of which some may be left out; None as they are.
        device: where to compute; the numbers are the same everywhere.

    Raises:
        UserError: rows are longer than unit vectors.
    """

    def __init__(
        self, embeddings: Tensor, order: Tensor | None = None, device: torch.device | str = "cpu"
    ) -> None:
        order = torch.arange(len(embeddings)) if order is None else order
        # Multiples of the unit, for which float32 is enough; in float64, as they are multiplied, while they are few.
        shape = len(order), embeddings.shape[1]
        kept = torch.float64 if math.prod(shape) <= _FEW else torch.float32
        self._points = torch.empty(shape, dtype=kept, device=device)
        self._norms = torch.empty(len(order), dtype=torch.float64, device=device)  # in squared steps
        self._work = self._norms.new_empty(0)  # the memory of one tile after the other
        for start in range(0, len(order), _PART):  # there is no second copy of all
            at = slice(start, start + _PART)
            part = embeddings.detach()[order[at]].to(device).float().div(UNIT).round().mul(UNIT)
            self._points[at] = part
            self._norms[at] = part.double().square().sum(1) / STEP**2
        _refuse_long(self._norms.sqrt().cpu().numpy() * STEP)

    def tile(self, rows: slice, columns: slice) -> Tensor:
        """(R, C) int32 distances of some rows to some others, in steps, given as slices with both ends."""
        left, right = self._points[rows].double(), self._points[columns].double()
        shape = left.shape[0], right.shape[0]
        if self._work.numel() < math.prod(shape):
            self._work = self._work.new_empty(math.prod(shape))
        squares = self._work[: math.prod(shape)].view(shape)
        torch.add(self._norms[rows, None], self._norms[None, columns], out=squares)
        # Validation may run under autocast, which knows nothing of exactness.
        with torch.autocast(squares.device.type, enabled=False):
            squares.addmm_(left, right.T, alpha=-2 / STEP**2)
        return _steps(squares)


def listed_steps(embeddings: Tensor, first: IntArray, second: IntArray) -> Tensor:
    """Distances of listed pairs, those that :class:`ExactDistances` has for them.

    Args:
        embeddings: (N, D) float32 on the CPU; rows that are listed are unit vectors.
        first: (P,) rows.
        second: (P,) rows.

    Returns:
        (P,) int32, in steps.

    Raises:
        UserError: listed rows are longer than unit vectors.
    """
    lengths = torch.linalg.vector_norm(embeddings.detach(), dim=1).numpy()
    if (lengths > LONGEST).any():
        _refuse_long(lengths[np.union1d(first, second)])
    values = embeddings.detach().numpy()
    squares = np.empty(len(first))
    work = np.empty((2, _LISTED, values.shape[1]))  # the memory of one part after the other
    for start in range(0, len(first), _LISTED):
        at = slice(start, start + _LISTED)
        left, right = values.take(first[at], 0), values.take(second[at], 0)
        apart, other = work[:, : len(left)]
        apart[...], other[...] = left, right
        # float64 has steps of the unit there: adding it rounds to the unit, and in the difference it is gone.
        apart += _ROUNDING
        other += _ROUNDING
        apart -= other
        # Whole squared units, below 2^53: exact in any order.
        squares[at] = np.matmul(apart[:, None], apart[:, :, None])[:, 0, 0]
    return _steps(torch.from_numpy(squares).mul_(1 / STEP**2))


def distances(steps: Tensor) -> FloatArray:
    """Steps as float32 distances."""
    result: FloatArray = steps.cpu().numpy().astype(np.float32) * np.float32(STEP)
    return result


def _refuse_long(lengths: npt.NDArray[np.floating]) -> None:
    """Refuses rows of lengths (N,) some of which are longer than unit vectors."""
    long = int((lengths > LONGEST).sum())
    if long:
        raise UserError(
            f"embeddings: {long} of {len(lengths)} rows are longer than {LONGEST:.2f}: "
            "expected unit vectors; divide each by its length"
        )


def _steps(squares: Tensor) -> Tensor:
    """Whole steps, int32, of exact squares: float32's nearest to the root, rounded once more."""
    roots = squares.float()
    if roots.is_cpu:
        # NumPy's root is the nearest float to the true one on every machine, which torch's need not be here.
        np.sqrt(roots.numpy(), out=roots.numpy())
    else:
        roots.sqrt_()
    # From 2^23 to 2^24 floats are the integers: adding 2^23 rounds to one, and its bits are those of 2^23 more.
    return roots.add_(2.0**23).view(torch.int32).sub_(_BITS)
