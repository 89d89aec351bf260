from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from brute_force import DISTANCES, FARS, GENUINE, IMPOSTOR, Brute, exactly, float_pairs, scored
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from facenet_lit.errors import UserError
from facenet_lit.metrics import rates
from facenet_lit.metrics.operating_points import best_accuracy_threshold, eer
from facenet_lit.metrics.roc import roc
from facenet_lit.metrics.scored_pairs import ScoredPairs


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
def test_auc(genuine, impostor, balanced):
    assert rates.auc(scored(genuine, impostor), balanced) == float(Brute(genuine, impostor, balanced).auc())


@exactly
@given(GENUINE, IMPOSTOR, DISTANCES)
def test_accuracy(genuine, impostor, threshold):
    right = sum(d < threshold for d, _ in genuine) + sum(d >= threshold for d in impostor)
    assert rates.accuracy(scored(genuine, impostor), threshold) == right / (len(genuine) + len(impostor))


@exactly
@given(st.lists(DISTANCES, min_size=1, max_size=12, unique=True), IMPOSTOR, FARS)
def test_balanced_is_over_pairs_where_each_identity_has_one(distances, impostor, f):
    pairs = scored([(d, i) for i, d in enumerate(distances)], impostor)
    assert eer(pairs, True) == eer(pairs)
    assert rates.auc(pairs, True) == rates.auc(pairs)
    assert rates.tar_at_far(pairs, f, True) == rates.tar_at_far(pairs, f)


@pytest.mark.parametrize("balanced", [False, True])
def test_curve_and_area_agree_with_scikit_learn(balanced):
    pairs = float_pairs()
    labels = np.repeat([1, 0], [len(pairs.genuine), len(pairs.impostor)])
    scores = -np.concatenate([pairs.genuine, pairs.impostor.values()])
    shares = 1 / np.bincount(pairs.genuine_identities)[pairs.genuine_identities] if balanced else 1.0
    weights = np.ones(len(labels))
    weights[: len(pairs.genuine)] = shares
    fars, tars, _ = roc_curve(labels, scores, sample_weight=weights, drop_intermediate=False)
    curve = roc(pairs, balanced, points=10_000)
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
    assert eer(pairs, True) == (float(brute.eer()[0]), brute.eer()[1])
    assert rates.auc(pairs, True) == float(brute.auc())
    assert best_accuracy_threshold(pairs, True) == brute.best_threshold()


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


def test_rates_without_their_pairs_are_none():
    only_genuine, only_impostor = ScoredPairs.of([1.0], [0], []), ScoredPairs.of([], [], [1.0] * 20)
    for balanced in (False, True):
        for pairs in (only_genuine, only_impostor):
            for rate in (eer, rates.auc, roc, best_accuracy_threshold):
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


@pytest.mark.parametrize("f", [0.0, -0.1, 1.5, math.nan])
def test_a_far_that_is_no_rate_is_refused(f):
    with pytest.raises(UserError, match=r"metrics\.fars"):
        rates.tar_at_far(float_pairs(), f)


def test_a_threshold_that_is_no_number_is_refused():
    with pytest.raises(UserError, match="threshold=nan"):
        rates.tar(float_pairs(), math.nan)
