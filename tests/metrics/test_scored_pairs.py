from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.errors import UserError
from facenet_lit.metrics.ordered_distances import SortedDistances
from facenet_lit.metrics.scored_pairs import ScoredPairs, balanced_weights, effective_identities


def test_pairs_that_are_not_sorted_or_finite_are_refused():
    good, identities = np.array([0.5, 1.0], np.float32), np.array([0, 1])
    ScoredPairs(good, identities, SortedDistances(good))
    for bad in (good[::-1], good.astype(np.float64), np.array([0.5, np.nan], np.float32)):
        with pytest.raises(UserError, match="ascending float32"):
            ScoredPairs(bad, identities, SortedDistances(good))
    with pytest.raises(UserError, match="one identity per genuine pair"):
        ScoredPairs(good, identities[:1], SortedDistances(good))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_balanced_weights_of_each_identity_add_up_to_one(identities):
    weights = balanced_weights(np.array(identities))
    for identity in set(identities):
        assert weights[np.array(identities) == identity].sum() == pytest.approx(1)


def test_effective_identities():
    assert effective_identities(np.array([], np.int64)) is None
    assert effective_identities(np.array([4, 7, 9])) == 3
    assert effective_identities(np.array([1] * 10 + [2] * 2 + [3])) == pytest.approx(13**2 / (100 + 4 + 1))
