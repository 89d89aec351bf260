import numpy as np
import pytest
from made_up_people import Setting, drawn_set, equal_sizes, lfw_sizes, true_rates, two_runs

from facenet_lit.metrics.figures import figures
from facenet_lit.metrics.pair_scoring import score_all_pairs
from facenet_lit.metrics.rates import tar


def test_sizes_are_like_those_of_lfw() -> None:
    sizes = lfw_sizes(np.random.default_rng(0), 200_000)
    assert (sizes == 1).mean() == pytest.approx(4069 / 5749, abs=0.005)
    assert (sizes == 2).mean() == pytest.approx(779 / 5749, abs=0.02)
    assert sizes.max() == 530
    assert sizes.mean() == pytest.approx(13_233 / 5_749, abs=0.35)


def test_true_rates_are_those_of_a_large_data_set() -> None:
    truth = true_rates.__wrapped__(1, 40_000)
    rows, _ = drawn_set(Setting(1500, equal_sizes, ""), 0)
    told = figures(score_all_pairs(*rows[:3]), 1.0, (0.1, 0.01))
    for name in ("tar", "far", "eer", "tar_at_far_1e-1", "tar_at_far_1e-2"):
        assert told[name] == pytest.approx(truth[name], abs=0.03)


def test_listed_pairs_are_half_genuine() -> None:
    rows, listed = drawn_set(Setting(30, lfw_sizes, ""), 3)
    same = rows.identities[listed[:, 0]] == rows.identities[listed[:, 1]]
    assert same.tolist() == [True] * 300 + [False] * 300
    assert (listed[:, 0] != listed[:, 1]).all()


def test_two_runs_differ_on_the_same_images_and_neither_is_better() -> None:
    one, other = two_runs(Setting(1500, equal_sizes, ""), 0)
    assert (one.identities == other.identities).all()
    assert (one.numbers == other.numbers).all()
    assert 0.2 < (one.embeddings - other.embeddings).norm(dim=1).mean() < 0.8
    rates = [tar(score_all_pairs(*rows[:3]), 1.0) for rows in (one, other)]
    assert rates[0] == pytest.approx(rates[1], abs=0.02)
