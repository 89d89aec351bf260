"""Drawn pairs, and every rate of them at every threshold in fractions and plain loops."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from facenet_lit.metrics.scored_pairs import ScoredPairs

# Few different distances, so that most of them tie.
DISTANCES = st.integers(0, 7)

GENUINE = st.lists(st.tuples(DISTANCES, st.integers(0, 4)), min_size=1, max_size=12)

IMPOSTOR = st.lists(DISTANCES, min_size=1, max_size=14)

FARS = st.sampled_from([0.01, 0.1, 0.2, 0.25, 0.29, 0.354, 0.5, 0.7, 1.0])

exactly = settings(max_examples=300, deadline=None)


class Brute:
    """Every rate at every threshold, in fractions and plain loops."""

    def __init__(self, genuine: list[tuple[int, int]], impostor: list[int], balanced: bool) -> None:
        pairs_of = Counter(identity for _, identity in genuine)
        self.weighed = [(d, Fraction(1, pairs_of[i]) if balanced else Fraction(1)) for d, i in genuine]
        self.impostor = impostor
        self.thresholds = [*sorted({d for d, _ in genuine} | set(impostor)), math.inf]

    def tar(self, threshold: float) -> Fraction:
        return sum((w for d, w in self.weighed if d < threshold), Fraction()) / sum(
            w for _, w in self.weighed
        )

    def far(self, threshold: float) -> Fraction:
        return Fraction(sum(d < threshold for d in self.impostor), len(self.impostor))

    def tar_at_far(self, f: float) -> Fraction:
        return max(self.tar(t) for t in self.thresholds if self.far(t) <= Fraction(str(f)))

    def eer(self) -> tuple[Fraction, float]:
        ranked = []
        for threshold in self.thresholds:
            far, frr = self.far(threshold), 1 - self.tar(threshold)
            ranked.append((abs(far - frr), (far + frr) / 2, threshold))
        return min(ranked)[1:]

    def auc(self) -> Fraction:
        won = Fraction()
        for d, w in self.weighed:
            won += w * sum(
                Fraction(1) if d < i else Fraction(1, 2) if d == i else Fraction() for i in self.impostor
            )
        return won / sum(w for _, w in self.weighed) / len(self.impostor)

    def best_threshold(self) -> float:
        return min(self.thresholds, key=lambda t: (-(self.tar(t) + 1 - self.far(t)), t))


def scored(genuine: list[tuple[int, int]], impostor: list[int]) -> ScoredPairs:
    return ScoredPairs.of([d for d, _ in genuine], [i for _, i in genuine], impostor)


def float_pairs(genuine: int = 400, impostor: int = 3000) -> ScoredPairs:
    generator = np.random.default_rng(0)
    return ScoredPairs.of(
        # Rounded, so that some distances of float32 tie and the fractions of 0.01 are not exact.
        generator.normal(0.9, 0.2, genuine).clip(0).round(2),
        generator.integers(0, 50, genuine) ** 2 // 100,
        generator.normal(1.3, 0.15, impostor).clip(0).round(2),
    )
