from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from facenet_lit.data import uniform_draws
from facenet_lit.data.uniform_draws import draw_below


@given(st.lists(st.integers(1, 2**40), max_size=20), st.integers(0, 99))
def test_every_number_is_below_its_bound(bounds: list[int], seed: int) -> None:
    below = np.array(bounds, np.int64)
    drawn = draw_below(below, np.random.default_rng(seed))
    assert drawn.shape == below.shape
    assert ((drawn >= 0) & (drawn < below)).all()
    assert np.array_equal(draw_below(below, np.random.default_rng(seed)), drawn)


@pytest.mark.parametrize("bound", [1, 2, 3, 7, 64, 1000])
def test_every_number_is_as_likely(bound: int) -> None:
    drawn = draw_below(np.full(100 * bound, bound), np.random.default_rng(0))
    found = np.bincount(drawn, minlength=bound)
    assert len(found) == bound
    assert bound == 1 or chisquare(found).pvalue > 1e-4


def test_numbers_of_neighbours_have_nothing_in_common() -> None:
    drawn = draw_below(np.full(50_001, 8), np.random.default_rng(1))
    assert chisquare(np.bincount(8 * drawn[:-1] + drawn[1:], minlength=64)).pvalue > 1e-4


def test_a_bound_near_that_of_the_words_favours_none() -> None:
    """Without drawing again every third number would come twice as often as the others."""
    bound = 3 * 2**30
    drawn = draw_below(np.full(60_000, bound), np.random.default_rng(2))
    assert chisquare(np.bincount(drawn % 3, minlength=3)).pvalue > 1e-4
    assert chisquare(np.bincount(drawn // 2**28, minlength=12)).pvalue > 1e-4


def test_bounds_of_more_than_32_bits_are_drawn_too() -> None:
    drawn = draw_below(np.full(1000, 2**50), np.random.default_rng(0))
    assert drawn.max() > uniform_draws._WORDS
