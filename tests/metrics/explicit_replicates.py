"""Replicates with every pair of theirs written down as often as it occurs, and plain loops over them."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property

import numpy as np

from facenet_lit.metrics.bootstrap_table import PairTable

Pair = tuple[int, int, int]  # distance in steps, and the two identities


def table_of(pairs: Sequence[Pair], identities: int) -> PairTable:
    """The table of pairs that are told one by one."""
    bits = max(identities - 1, 1).bit_length()
    keys = [(d << 2 * bits | min(i, j) << bits | max(i, j), i == j) for d, i, j in pairs]
    genuine = np.array([key for key, same in keys if same], np.int64)
    return PairTable(identities, genuine, np.array([key for key, same in keys if not same], np.int64))


class Replicate:
    """The pairs of drawn identities: each copy has its genuine pairs, and each two copies of two identities theirs."""

    def __init__(self, pairs: Sequence[Pair], drawn: Sequence[int], balanced: bool) -> None:
        genuine_pairs = Counter(i for _, i, j in pairs if i == j)
        copies = list(enumerate(drawn))
        self.genuine = [
            (d, Fraction(1, genuine_pairs[i]) if balanced else Fraction(1))
            for _, copy in copies
            for d, i, j in pairs
            if i == j == copy
        ]
        self.impostor = [
            d
            for (_, one), (_, other) in itertools.combinations(copies, 2)
            for d, i, j in pairs
            if one != other and {i, j} == {one, other}
        ]
        self.thresholds = [*sorted({d for d, _ in self.genuine} | set(self.impostor)), math.inf]

    @cached_property
    def curve(self) -> list[tuple[Fraction, Fraction]]:
        """FAR and TAR at each of the thresholds."""
        return [(self.far(threshold), self.tar(threshold)) for threshold in self.thresholds]

    def tar(self, threshold: float) -> Fraction:
        return sum((w for d, w in self.genuine if d < threshold), Fraction()) / sum(
            w for _, w in self.genuine
        )

    def far(self, threshold: float) -> Fraction:
        return Fraction(sum(d < threshold for d in self.impostor), len(self.impostor))

    def tar_at_far(self, f: float) -> Fraction:
        return max(tar for far, tar in self.curve if far <= Fraction(str(f)))

    def eer(self) -> Fraction:
        ranked = []
        for threshold, (far, tar) in zip(self.thresholds, self.curve, strict=True):
            frr = 1 - tar
            ranked.append((abs(far - frr), (far + frr) / 2, threshold))
        return min(ranked)[1]

    def accuracy(self, threshold: float) -> Fraction:
        right = sum(d < threshold for d, _ in self.genuine) + sum(d >= threshold for d in self.impostor)
        return Fraction(right, len(self.genuine) + len(self.impostor))
