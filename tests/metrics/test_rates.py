from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from facenet_lit.errors import UserError
from facenet_lit.metrics import rates
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


@exactly
@given(GENUINE, IMPOSTOR, st.booleans(), st.one_of(st.floats(-1, 9), DISTANCES, st.just(math.inf)))
def test_tar_and_far(genuine, impostor, balanced, threshold):
    brute, pairs = Brute(genuine, impostor, balanced), scored(genuine, impostor)
    assert rates.tar(pairs, threshold, balanced) == float(brute.tar(threshold))
    assert rates.far(pairs, threshold) == float(brute.far(threshold))


@exactly
@given(GENUINE, IMPOSTOR, FARS, st.booleans())
def test_tar_at_far(genuine, impostor, f, balanced):
    rate = rates.tar_at_far(scored(genuine, impostor), f, balanced)
    if Fraction(str(f)) * len(impostor) < 1:
        assert rate is None
    else:
        assert rate == float(Brute(genuine, impostor, balanced).tar_at_far(f))


@exactly
@given(GENUINE, IMPOSTOR, st.booleans())
def test_eer(genuine, impostor, balanced):
    rate, threshold = Brute(genuine, impostor, balanced).eer()
    assert rates.eer(scored(genuine, impostor), balanced) == (float(rate), threshold)


@exactly
@given(GENUINE, IMPOSTOR, st.booleans())
def test_auc(genuine, impostor, balanced):
    assert rates.auc(scored(genuine, impostor), balanced) == float(Brute(genuine, impostor, balanced).auc())


@exactly
@given(GENUINE, IMPOSTOR, st.booleans())
def test_best_accuracy_threshold(genuine, impostor, balanced):
    threshold = rates.best_accuracy_threshold(scored(genuine, impostor), balanced)
    assert threshold == Brute(genuine, impostor, balanced).best_threshold()


@exactly
@given(GENUINE, IMPOSTOR, DISTANCES)
def test_accuracy(genuine, impostor, threshold):
    right = sum(d < threshold for d, _ in genuine) + sum(d >= threshold for d in impostor)
    assert rates.accuracy(scored(genuine, impostor), threshold) == right / (len(genuine) + len(impostor))


@exactly
@given(GENUINE, IMPOSTOR, st.booleans(), st.integers(3, 40))
def test_roc_is_some_points_of_the_curve_with_both_ends(genuine, impostor, balanced, points):
    brute = Brute(genuine, impostor, balanced)
    curve = rates.roc(scored(genuine, impostor), balanced, points)
    assert len(curve.thresholds) <= points
    assert set(curve.thresholds.tolist()) <= set(brute.thresholds)
    assert curve.far.tolist() == [float(brute.far(t)) for t in curve.thresholds]
    assert curve.tar.tolist() == [float(brute.tar(t)) for t in curve.thresholds]
    assert (curve.far[0], curve.tar[0], curve.far[-1], curve.tar[-1]) == (0, 0, 1, 1)
    if len(genuine) + len(impostor) < points:
        assert curve.thresholds.tolist() == brute.thresholds


@exactly
@given(st.lists(DISTANCES, min_size=1, max_size=12, unique=True), IMPOSTOR, FARS)
def test_balanced_is_over_pairs_where_each_identity_has_one(distances, impostor, f):
    pairs = scored([(d, i) for i, d in enumerate(distances)], impostor)
    assert rates.eer(pairs, True) == rates.eer(pairs)
    assert rates.auc(pairs, True) == rates.auc(pairs)
    assert rates.tar_at_far(pairs, f, True) == rates.tar_at_far(pairs, f)


def float_pairs(genuine: int = 400, impostor: int = 3000) -> ScoredPairs:
    generator = np.random.default_rng(0)
    return ScoredPairs.of(
        # Rounded, so that some distances of float32 tie and the fractions of 0.01 are not exact.
        generator.normal(0.9, 0.2, genuine).clip(0).round(2),
        generator.integers(0, 50, genuine) ** 2 // 100,
        generator.normal(1.3, 0.15, impostor).clip(0).round(2),
    )


@pytest.mark.parametrize("balanced", [False, True])
def test_curve_and_area_agree_with_scikit_learn(balanced):
    pairs = float_pairs()
    labels = np.repeat([1, 0], [len(pairs.genuine), len(pairs.impostor)])
    scores = -np.concatenate([pairs.genuine, pairs.impostor])
    shares = 1 / np.bincount(pairs.genuine_identities)[pairs.genuine_identities] if balanced else 1.0
    weights = np.ones(len(labels))
    weights[: len(pairs.genuine)] = shares
    fars, tars, _ = roc_curve(labels, scores, sample_weight=weights, drop_intermediate=False)
    curve = rates.roc(pairs, balanced, points=10_000)
    np.testing.assert_allclose(curve.far, fars, atol=1e-12)
    np.testing.assert_allclose(curve.tar, tars, atol=1e-12)
    area = roc_auc_score(labels, scores, sample_weight=weights)
    assert rates.auc(pairs, balanced) == pytest.approx(area, abs=1e-12)
    for f in (0.354, 0.1, 0.01, 0.001):
        assert rates.tar_at_far(pairs, f, balanced) == pytest.approx(tars[fars <= f].max(), abs=1e-12)


def test_many_balanced_identities_against_all_thresholds():
    """Sizes from 1 to 40, whose common multiple is far beyond a float's integers."""
    generator = np.random.default_rng(1)
    identities = np.repeat(np.arange(1, 41), np.arange(1, 41)).tolist()
    genuine = list(zip(generator.integers(0, 30, len(identities)).tolist(), identities, strict=True))
    impostor = generator.integers(10, 40, 500).tolist()
    brute, pairs = Brute(genuine, impostor, True), scored(genuine, impostor)
    assert rates.eer(pairs, True) == (float(brute.eer()[0]), brute.eer()[1])
    assert rates.auc(pairs, True) == float(brute.auc())
    assert rates.best_accuracy_threshold(pairs, True) == brute.best_threshold()


def test_far_is_the_decimal_number_it_is_written_as():
    assert math.floor(0.29 * 100) == 28
    pairs = ScoredPairs.of([28.5], [0], range(100))
    assert rates.tar_at_far(pairs, 0.29) == 1.0
    assert rates.tar_at_far(pairs, 0.28) == 0.0


def test_a_threshold_between_two_float32_numbers_is_not_rounded_onto_a_distance():
    assert float(np.float32(0.7)) < 0.7 < 1.1 < float(np.float32(1.1))
    pairs = ScoredPairs.of([0.7, 1.1], [0, 1], [1.1])
    assert rates.tar(pairs, 0.7) == 0.5
    assert rates.far(pairs, 1.1) == 0.0
    assert rates.far(pairs, float(np.float32(1.1))) == 0.0
    assert rates.far(pairs, 1.1001) == 1.0


def test_thresholds_where_nothing_tells_the_pairs_apart():
    assert rates.eer(ScoredPairs.of([1.0], [0], [1.0])) == (0.5, 1.0)  # infinity ties and is larger
    assert rates.eer(ScoredPairs.of([2.0, 2.0], [0, 1], [1.0])) == (1.0, 2.0)
    assert rates.best_accuracy_threshold(ScoredPairs.of([1.0, 2.0], [0, 1], [0.5])) == 0.5


def test_the_best_threshold_of_equals_is_the_smallest():
    # At 2 and at 4 the mean is equally high, and between them lower.
    assert rates.best_accuracy_threshold(ScoredPairs.of([1.0, 3.0], [0, 1], [2.0, 4.0])) == 2.0


def test_rates_without_their_pairs_are_none():
    only_genuine, only_impostor = ScoredPairs.of([1.0], [0], []), ScoredPairs.of([], [], [1.0] * 20)
    for balanced in (False, True):
        for pairs in (only_genuine, only_impostor):
            for rate in (rates.eer, rates.auc, rates.roc, rates.best_accuracy_threshold):
                assert rate(pairs, balanced) is None
            assert rates.tar_at_far(pairs, 0.5, balanced) is None
        assert rates.tar(only_impostor, 1.1, balanced) is None
        assert rates.genuine_distance(only_impostor, balanced) is None
        assert rates.tar(only_genuine, 1.1, balanced) == rates.genuine_distance(only_genuine, balanced) == 1.0
    assert rates.accuracy(only_genuine, 1.1) is None
    assert rates.far(only_genuine, 1.1) is None
    assert rates.impostor_distance(only_genuine) is None
    assert rates.far(only_impostor, 1.1) == rates.impostor_distance(only_impostor) == 1.0


def test_mean_distances():
    pairs = ScoredPairs.of([1.0, 0.25, 0.75, 2.0], [3, 5, 5, 5], [1.0, 1.5])
    assert rates.genuine_distance(pairs) == 1.0
    assert rates.genuine_distance(pairs, balanced=True) == pytest.approx(1.0)
    uneven = ScoredPairs.of([2.0, 0.5, 1.0], [3, 5, 5], [])
    assert rates.genuine_distance(uneven) == pytest.approx(3.5 / 3)
    assert rates.genuine_distance(uneven, balanced=True) == 1.375
    assert rates.impostor_distance(pairs) == 1.25


def test_resolution():
    assert not rates.is_resolvable(0.01, 99)
    assert rates.is_resolvable(0.01, 100)
    assert not rates.is_resolvable(0.5, 0)
    states = [rates.resolution(0.01, count) for count in (99, 100, 999, 1000)]
    assert states == ["unresolvable", "coarse", "coarse", "fine"]


@pytest.mark.parametrize("f", [0.0, -0.1, 1.5, math.nan])
def test_a_far_that_is_no_rate_is_refused(f):
    with pytest.raises(UserError, match=r"metrics\.fars"):
        rates.tar_at_far(float_pairs(), f)


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(UserError, match="threshold=nan"):
        rates.tar(float_pairs(), math.nan)
    with pytest.raises(UserError, match="points=2"):
        rates.roc(float_pairs(), points=2)
