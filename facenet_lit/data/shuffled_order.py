"""The numbers from 0 to N - 1 in random order, of which any part can be asked for by itself.

Shuffling tens of millions takes longer than drawing them, and most of that is waiting for memory. A Feistel network
(Luby and Rackoff 1988, section 3) needs none: it is a permutation that says where each number goes, drawn by the keys
of its rounds. It permutes the numbers of so many bits; one that is N or more is sent on until it is below
(cycle walking: Black and Rogaway 2002, section 4).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[Any]

_ROUNDS = 8  # four are enough where the mixing is good
_FEW = 1 << 16  # so many are shuffled as they are: every order of them is as likely
_MIXING = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)  # of MurmurHash3's last step
_PART = 1 << 14  # numbers at a time, in the cache


class ShuffledOrder:
    """A random order of 0 to N - 1.

    Args:
        count: N, below 2^62.
        rng: draws the order.
        dtype: of the numbers.
    """

    def __init__(self, count: int, rng: np.random.Generator, dtype: npt.DTypeLike = np.int64) -> None:
        self._count, self._dtype = count, np.dtype(dtype)
        self._table = rng.permutation(np.arange(count, dtype=dtype)) if count <= _FEW else None
        self._keys = rng.integers(1 << 64, size=_ROUNDS, dtype=np.uint64)
        bits = max(count - 1, 0).bit_length()
        self._low = bits // 2
        self._masks = [np.uint64((1 << half) - 1) for half in (bits - self._low, self._low)]

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, part: slice) -> Places:
        """(M,) what comes at some places, given by a slice without step."""
        first, last, _ = part.indices(self._count)
        if self._table is not None:
            return self._table[first:last]
        order = np.empty(max(last - first, 0), self._dtype)
        for start in range(first, last, _PART):
            stop = min(start + _PART, last)
            order[start - first : stop - first] = self._sent(np.arange(start, stop, dtype=np.uint64))
        return order

    def _sent(self, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """(M,) where each number below N goes."""
        numbers = self._permuted(numbers)
        outside = np.flatnonzero(numbers >= self._count)
        while len(outside):
            further = self._permuted(numbers[outside])
            numbers[outside] = further
            outside = outside[further >= self._count]
        return numbers

    def _permuted(self, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """(M,) where each number of so many bits goes: each half is changed by what the other mixes to, in turn."""
        shift = np.uint64(self._low)
        halves: list[npt.NDArray[np.uint64]] = [numbers >> shift, numbers & self._masks[1]]
        for turn, key in enumerate(self._keys):
            own = turn % 2
            mixed = halves[1 - own] + key
            for factor in _MIXING:
                mixed ^= mixed >> np.uint64(33)
                mixed *= factor
            mixed ^= mixed >> np.uint64(33)
            mixed &= self._masks[own]
            halves[own] ^= mixed
        permuted: npt.NDArray[np.uint64] = (halves[0] << shift) | halves[1]
        return permuted
