import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.metrics.effective_number import effective_number


@given(st.integers(1, 50), st.integers(1, 10**6))
def test_equal_weights_are_worth_their_number(count: int, weight: int) -> None:
    assert effective_number([weight] * count) == pytest.approx(count)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_it_is_kish_in_exact_integers(weights: list[int]) -> None:
    squares = sum(weight**2 for weight in weights)
    expected = sum(weights) ** 2 / squares if squares else 0
    assert effective_number(np.array(weights)) == pytest.approx(expected)


def test_one_that_holds_all_and_nothing() -> None:
    assert effective_number([0, 0, 7]) == 1
    assert effective_number([]) == 0
