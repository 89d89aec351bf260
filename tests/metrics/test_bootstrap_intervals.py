from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, bootstrap, norm

from facenet_lit.metrics.bootstrap_intervals import (
    Resampled,
    bca_levels,
    bounds_of,
    clopper_pearson,
    difference_of,
)
from facenet_lit.metrics.effective_number import ENOUGH


def resampled(values: np.ndarray, effective: float = 1e6) -> Resampled:
    """The mean of a sample, by plain means of drawn samples."""
    generator = np.random.default_rng(0)
    drawn = values[generator.integers(len(values), size=(4000, len(values)))].mean(1)
    left_out = (values.sum() - values) / (len(values) - 1)
    return Resampled(drawn, left_out, effective, effective)


def test_bca_is_that_of_scipy():
    values = np.random.default_rng(3).beta(8, 1, 60)
    found = bounds_of(values.mean(), resampled(values))
    expected = bootstrap(
        (values,), np.mean, n_resamples=4000, method="BCa", random_state=1
    ).confidence_interval
    assert not found.counted
    assert found.low == pytest.approx(expected.low, abs=0.004)
    assert found.high == pytest.approx(expected.high, abs=0.004)
    plain = np.quantile(resampled(values).drawn, [0.025, 0.975])
    assert found.low < plain[0]  # of a skewed rate they are not the plain percentiles
    assert found.high < plain[1]


def test_of_even_replicates_the_levels_are_the_tails_and_wider_on_few():
    even = np.linspace(0.4, 0.6, 1001)
    np.testing.assert_allclose(bca_levels(0.5, even, np.zeros(0), 1e7), [0.025, 0.975], atol=1e-6)
    low, high = bca_levels(0.5, even, np.zeros(0), 31)
    assert low == pytest.approx(norm.cdf(-2.0423 * np.sqrt(31 / 30)), abs=1e-5)  # Student's t of 30
    assert low + high == pytest.approx(1)


@pytest.mark.parametrize(("hits", "trials"), [(0, 30), (30, 30), (3, 17), (1, 200)])
@pytest.mark.parametrize("level", [0.95, 0.975])
def test_clopper_pearson_against_the_quantiles_of_beta(hits, trials, level):
    low, high = clopper_pearson(hits / trials, trials, level)
    tail = (1 - level) / 2
    assert low == pytest.approx(beta.ppf(tail, hits, trials - hits + 1) if hits else 0, abs=1e-9)
    assert high == pytest.approx(
        beta.ppf(1 - tail, hits + 1, trials - hits) if hits < trials else 1, abs=1e-9
    )


@given(st.floats(0, 1), st.floats(1, 1e6))
def test_the_fallback_holds_the_rate_and_is_never_of_no_width(rate, trials):
    low, high = clopper_pearson(rate, trials)
    assert 0 <= low <= rate + 1e-9
    assert rate - 1e-9 <= high <= 1
    assert high - low > 1e-7


def test_where_a_bootstrap_tells_too_little_there_is_the_fallback():
    spread = np.linspace(0.7, 0.9, 200)
    for rate, drawn, effective in [
        (1.0, np.ones(200), 50.0),
        (0.0, spread, 50.0),
        (0.8, spread, ENOUGH - 0.1),
        (0.8, np.full(200, 0.8), 50.0),
        (0.8, np.full(200, np.nan), 50.0),
    ]:
        found = bounds_of(rate, Resampled(drawn, spread, effective, effective))
        assert found == (*clopper_pearson(rate, effective), True)
    assert not bounds_of(0.8, Resampled(spread, spread, ENOUGH, ENOUGH)).counted
    assert clopper_pearson(0.0, 100)[1] == pytest.approx(3.7 / 100, rel=0.03)


def test_a_difference_of_the_same_draws_is_narrower_than_the_rates():
    generator = np.random.default_rng(0)
    common = generator.normal(0, 0.05, 1000)
    one, other = (
        Resampled(mean + common + generator.normal(0, 0.005, 1000), np.zeros(0), 90.0, 90.0)
        for mean in (0.8, 0.75)
    )
    found = difference_of((0.8, one), (0.75, other))
    assert found.low > 0.03
    assert found.high < 0.07
    alone = bounds_of(0.8, one)
    assert alone.high - alone.low > 0.15


def test_a_difference_on_few_people_takes_both_by_themselves():
    drawn = np.linspace(0, 1, 100)
    one, other = Resampled(drawn, drawn, 12.0, 12.0), Resampled(drawn, drawn, 50.0, 25.0)
    found = difference_of((0.5, one), (1.0, other))
    low, high = clopper_pearson(0.5, 12, 0.975)
    assert found == pytest.approx((low - 1, high - clopper_pearson(1.0, 25, 0.975)[0], True))
    same = difference_of((0.5, one), (0.5, one))
    assert same.low < 0 < same.high


@pytest.mark.parametrize("error", [0.01, 0.02, 0.05])
def test_equal_runs_with_few_errors_are_rarely_told_to_differ(error):
    """Each of 200 people is one trial of either run."""
    rng = np.random.default_rng(0)
    wrong, sets = 0, 200
    for _ in range(sets):
        right = rng.random((2, 200)) > error
        drawn = rng.multinomial(200, np.full(200, 1 / 200), 300) @ right.T / 200  # (R, 2)
        left_out = (right.sum(1) - right.T) / 199  # (B, 2)
        one, other = (Resampled(drawn[:, run], left_out[:, run], 200, 200) for run in (0, 1))
        found = difference_of((right[0].mean(), one), (right[1].mean(), other))
        wrong += not found.low <= 0 <= found.high
    assert wrong <= 0.05 * sets + 2 * (0.05 * 0.95 * sets) ** 0.5
