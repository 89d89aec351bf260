from __future__ import annotations

from brute_force import GENUINE, IMPOSTOR, Brute, exactly, scored
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.metrics.operating_points import best_accuracy_threshold, eer
from facenet_lit.metrics.scored_pairs import ScoredPairs


@exactly
@given(GENUINE, IMPOSTOR, st.booleans())
def test_eer(genuine, impostor, balanced):
    rate, threshold = Brute(genuine, impostor, balanced).eer()
    assert eer(scored(genuine, impostor), balanced) == (float(rate), threshold)


@exactly
@given(GENUINE, IMPOSTOR, st.booleans())
def test_best_accuracy_threshold(genuine, impostor, balanced):
    threshold = best_accuracy_threshold(scored(genuine, impostor), balanced)
    assert threshold == Brute(genuine, impostor, balanced).best_threshold()


def test_thresholds_where_nothing_tells_the_pairs_apart():
    assert eer(ScoredPairs.of([1.0], [0], [1.0])) == (0.5, 1.0)  # infinity ties and is larger
    assert eer(ScoredPairs.of([2.0, 2.0], [0, 1], [1.0])) == (1.0, 2.0)
    assert best_accuracy_threshold(ScoredPairs.of([1.0, 2.0], [0, 1], [0.5])) == 0.5


def test_the_best_threshold_of_equals_is_the_smallest():
    # At 2 and at 4 the mean is equally high, and between them lower.
    assert best_accuracy_threshold(ScoredPairs.of([1.0, 3.0], [0, 1], [2.0, 4.0])) == 2.0
