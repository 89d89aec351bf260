"""Weights of pairs in many replicates at once, counted without rounding.

The impostor pairs between two thresholds weigh w' C w in a replicate with the counts w, where C has how many there are
of each two identities: a matrix product for all replicates, whose floats are whole numbers that they hold exactly.
Where pairs are few beside the squared number of identities, the products w_i w_j themselves are added up, in bytes.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from facenet_lit.batch import IntArray
from facenet_lit.metrics.bootstrap_table import PAST, PairTable

Counts = npt.NDArray[Any]  # unsigned integers, as draw_counts gives them
Weights = npt.NDArray[np.float64]

ROW = 128  # pairs that are added up together
_SPARSE = 24  # a pair costs as much as so many entries of a matrix product
_CHUNK = 1 << 20  # numbers at a time, in the cache
_BLOCK = 512  # rows of a matrix that are multiplied together
_EXACT = {np.float32: 1 << 24, np.float64: 1 << 53}


class Replicates:
    """Weights of the pairs of a table in replicates.

    Args:
        table: the pairs.
        counts: (I, R) how often each identity is drawn.

    Attributes:
        totals: (3, R) weight of all impostor pairs, of all genuine pairs, and of all genuine pairs balanced.
    """

    def __init__(self, table: PairTable, counts: Counts) -> None:
        self.table = table
        self.counts = counts
        self._padded = np.vstack([counts, np.zeros_like(counts[:1])])  # an identity that is never drawn
        pairs_of = np.bincount(table.genuine_of, minlength=table.identities)
        self.shares = np.stack(
            [np.ones(table.identities), 1 / np.maximum(pairs_of, 1)]
        )  # (2, I) a pair's weight
        whole = self._all_impostors()
        self._known = {0: np.zeros_like(whole), len(table): whole}  # of so many nearest impostor pairs
        self.totals = np.vstack([whole, self._genuine(np.array([0, PAST]))[:, 0]])

    def below(self, cuts: IntArray) -> Weights:
        """(3, K, R) weights nearer than each of ascending ``cuts`` (K,), in steps; rows as in ``totals``."""
        impostor = np.stack([self._nearest(place) for place in self.table.below(cuts).tolist()])
        return np.concatenate([impostor[None], self._genuine(np.append(0, cuts))])

    def between(self, cuts: IntArray, chosen: IntArray) -> Weights:
        """(3, K - 1, S) weights nearer than each of ascending cuts (K,) but the first, and not than the first.

        Args:
            cuts: in steps; the pairs between are few enough to be gone through.
            chosen: (S,) which replicates.
        """
        impostor = self._summed(self.table.below(cuts), chosen)
        return np.concatenate([impostor[None], self._genuine(cuts, chosen)])

    def pairs_between(self, cuts: tuple[IntArray, IntArray], chosen: IntArray) -> tuple[IntArray, Weights]:
        """The pairs between two thresholds in each of some replicates, those of fewer pairs filled up in front.

        Args:
            cuts: (S,) lower, (S,) upper thresholds, in steps.
            chosen: (S,) which replicates.

        Returns:
            (S, W) distances in steps, and (3, S, W) weights, rows as in ``totals``; 0 of what fills up.
        """
        places, impostor = _filled(*map(self.table.below, cuts))
        steps, first, second = self.table.impostors(places)
        replicate = chosen[:, None]
        weights = self.counts[first, replicate].astype(np.float64) * self.counts[second, replicate] * impostor
        at, genuine = _filled(*map(self.table.genuine_below, cuts))
        of = self.table.genuine_of[at]
        drawn = self.counts[of, replicate] * genuine
        both = np.zeros((3, len(chosen), places.shape[1] + at.shape[1]))
        both[0, :, : places.shape[1]] = weights
        both[1:, :, places.shape[1] :] = self.shares[:, of] * drawn
        nearest = np.full((1, 1), -1)
        filled = np.where(impostor, steps, nearest), np.where(genuine, self.table.genuine_steps[at], nearest)
        return np.concatenate(filled, axis=1), both

    def _all_impostors(self) -> npt.NDArray[np.int64]:
        """(R,) weight of all impostor pairs."""
        images = self.table.images
        if images is None:
            return self._between(0, len(self.table))
        drawn = self.counts.astype(np.int64) * images[:, None]
        whole: npt.NDArray[np.int64] = (drawn.sum(0) ** 2 - (drawn**2).sum(0)) // 2
        return whole

    def _nearest(self, count: int) -> npt.NDArray[np.int64]:
        """(R,) weight of so many nearest impostor pairs, from that of about as many, if known."""
        if count not in self._known:
            about = min(self._known, key=lambda known: abs(known - count))
            between = self._between(min(count, about), max(count, about))
            self._known[count] = self._known[about] + (between if about < count else -between)
        return self._known[count]

    def _summed(self, edges: IntArray, chosen: IntArray) -> npt.NDArray[np.int64]:
        """(K, S) weight of the impostor pairs from the first of places (K + 1,) of the order to each of the others."""
        counts = np.ascontiguousarray(self._padded[:, chosen])
        rows = -(-np.diff(edges) // ROW)  # so many for each; the last is filled up with pairs of nobody
        ends = np.append(0, np.cumsum(rows))
        segment = np.repeat(np.arange(len(rows)), rows)
        starts = edges[segment] + ROW * (np.arange(len(segment)) - ends[segment])
        sums = np.zeros((len(segment) + 1, len(chosen)), np.int64)
        step = max(_CHUNK // (ROW * max(len(chosen), 1)), 1)
        for k in range(0, len(segment), step):
            at = slice(k, k + step)
            sums[1:][at] = self._row_sums(starts[at], edges[segment[at] + 1], counts)
        upto: npt.NDArray[np.int64] = _running(sums)[ends[1:]]
        return upto

    def _row_sums(self, starts: IntArray, stops: IntArray, counts: Counts) -> npt.NDArray[Any]:
        """(K, S) weights of rows of pairs: from each start on, up to ROW of them, before each stop."""
        places = starts[:, None] + np.arange(ROW)
        there = places < stops[:, None]
        _, first, second = self.table.impostors(np.minimum(places, len(self.table) - 1).ravel())
        first[~there.ravel()] = self.table.identities
        products = np.take(counts, first, axis=0)
        products *= np.take(counts, second, axis=0)
        wide = np.uint32 if products.dtype.itemsize > 1 else np.uint16  # ROW times the most that they hold
        sums: npt.NDArray[Any] = products.reshape(len(starts), ROW, -1).sum(1, dtype=wide)
        return sums

    def _between(self, low: int, high: int) -> npt.NDArray[np.int64]:
        """(R,) weight of the impostor pairs from one place of the order to another."""
        size = self.table.identities
        if (high - low) * _SPARSE <= size**2:
            (total,) = self._summed(np.array([low, high]), np.arange(self.counts.shape[1]))
            return np.asarray(total)
        codes = np.empty(high - low, np.int64)
        for start in range(low, high, _CHUNK):
            stop = min(start + _CHUNK, high)
            _, first, second = self.table.impostors(slice(start, stop))
            np.add(first * size, second, out=codes[start - low : stop - low])
        pairs = np.bincount(codes, minlength=size**2).reshape(size, size)  # above the diagonal
        return _quadratic(pairs, self.counts)

    def _genuine(self, cuts: IntArray, chosen: IntArray | slice = slice(None)) -> Weights:
        """(2, K - 1, S) weight of the genuine pairs from the first of cuts (K,) to each other: all, and balanced."""
        edges = self.table.genuine_below(cuts)
        of = self.table.genuine_of[edges[0] : edges[-1]]
        shape = len(cuts) - 1, self.table.identities
        pairs = csr_array(
            (np.ones(len(of)), of.copy(), edges - edges[0]), shape=shape
        )  # which sorts what it is given
        pairs.sum_duplicates()
        drawn = self.counts[:, chosen].astype(np.float64)
        return np.stack([_running(pairs @ (drawn * share[:, None])) for share in self.shares])


def _running(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Sums of (K, S) along the first axis, where they lie: NumPy's own goes through memory column by column."""
    for above, row in itertools.pairwise(values):
        row += above
    return values


def _filled(low: IntArray, high: IntArray) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """(S, W) the places from each low (S,) to before each high, and which of them aren't there to fill up."""
    width = max(int((high - low).max()), 0)
    places = low[:, None] + np.arange(width)
    there = places < high[:, None]
    return np.where(there, places, 0), there


def _quadratic(pairs: IntArray, counts: Counts) -> npt.NDArray[np.int64]:
    """(R,) the sum of w_i w_j times pairs (I, I), above the diagonal, for each column of counts (I, R)."""
    most = int((pairs.sum(0) + pairs.sum(1)).max(initial=0)) * int(counts.max(initial=0))
    kind = next(kind for kind, limit in _EXACT.items() if most < limit)
    result = np.zeros(counts.shape[1], np.int64)
    drawn = counts.astype(kind)
    for start in range(0, len(pairs), _BLOCK):  # below the diagonal is nothing
        product = pairs[start : start + _BLOCK, start:].astype(kind) @ drawn[start:]  # (B, R) whole numbers
        result += np.einsum("br,br->r", product, drawn[start : start + _BLOCK], dtype=np.float64).astype(
            np.int64
        )
    return result
