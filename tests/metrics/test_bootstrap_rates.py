from __future__ import annotations

import numpy as np
import pytest
import torch
from explicit_replicates import Pair, Replicate, table_of
from hypothesis import given, settings
from hypothesis import strategies as st

from facenet_lit.batch import Rows
from facenet_lit.metrics import bootstrap_counts, bootstrap_search
from facenet_lit.metrics.bootstrap_counts import Replicates
from facenet_lit.metrics.bootstrap_draws import draw_counts
from facenet_lit.metrics.bootstrap_rates import rate_names, replicate_accuracies, replicate_rates, steps_of
from facenet_lit.metrics.bootstrap_table import PairTable
from facenet_lit.metrics.exact_distances import STEP
from facenet_lit.metrics.figures import figures
from facenet_lit.metrics.pair_scoring import score_all_pairs

FARS = (0.01, 0.1, 0.29, 0.5, 1.0)

# Few distances, so that most of them tie; few identities, so that some replicates lack a kind of pairs.
PAIRS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30)


def check(pairs: list[Pair], counts: np.ndarray, threshold: int) -> None:
    replicates = Replicates(table_of(pairs, len(counts)), counts)
    rates = replicate_rates(replicates, threshold * STEP, FARS)
    assert rates.keys() == set(rate_names(FARS))
    accuracies = replicate_accuracies(replicates, threshold * STEP)
    for number, column in enumerate(counts.T):
        drawn = np.repeat(np.arange(len(counts)), column)
        for balanced, ending in ((False, ""), (True, "_balanced")):
            brute = Replicate(pairs, drawn, balanced)
            told = {name: values[number] for name, values in rates.items()}
            assert bool(brute.genuine) == np.isfinite(told["tar" + ending])
            assert bool(brute.impostor) == np.isfinite(told["far"])
            assert bool(brute.genuine and brute.impostor) == np.isfinite(accuracies[number])
            if not brute.genuine or not brute.impostor:
                continue
            assert told["tar" + ending] == pytest.approx(float(brute.tar(threshold)), abs=1e-13)
            assert told["far"] == float(brute.far(threshold))
            assert told["eer" + ending] == pytest.approx(float(brute.eer()), abs=1e-11)
            for f, name in zip(FARS, ("1e-2", "1e-1", "0.29", "0.5", "1"), strict=True):
                expected = float(brute.tar_at_far(f))
                assert told[f"tar_at_far_{name}{ending}"] == pytest.approx(expected, abs=1e-13)
            if not balanced:
                assert accuracies[number] == float(brute.accuracy(threshold))


def both_kinds(pairs: list[Pair]) -> bool:
    return len({i == j for _, i, j in pairs}) == 2


@settings(max_examples=60, deadline=None)
@given(PAIRS.filter(both_kinds), st.integers(0, 10), st.integers(0, 1000))
def test_rates_are_those_of_every_replicate_written_down(pairs, threshold, seed):
    check(pairs, draw_counts(5, 4, seed), threshold)


@pytest.mark.parametrize(("row", "few", "grid", "sparse"), [(2, 1, 3, 24), (3, 5, 50, 0), (4, 2, 2, 10**9)])
@pytest.mark.parametrize("distances", [3, 40, 4000])
def test_rates_however_the_search_goes_on(monkeypatch, row, few, grid, sparse, distances):
    """By matrices or by pairs, with few and with many ties, and many steps between pairs."""
    monkeypatch.setattr(bootstrap_counts, "ROW", row)
    monkeypatch.setattr(bootstrap_counts, "_SPARSE", sparse)
    monkeypatch.setattr(bootstrap_counts, "_CHUNK", 40)
    monkeypatch.setattr(bootstrap_search, "_FEW", few)
    monkeypatch.setattr(bootstrap_search, "_GRID", grid)
    generator = np.random.default_rng(distances)
    images = np.repeat(np.arange(9), [1, 1, 2, 2, 3, 3, 4, 5, 1])
    pairs = [
        (int(generator.integers(distances) + (distances // 2) * (i != j)), int(i), int(j))
        for k, i in enumerate(images)
        for j in images[k + 1 :]
    ]
    check(pairs, draw_counts(9, 25), distances * 3 // 4)


@pytest.mark.parametrize("noise", [0.3, 1.0, 3.0])
def test_identities_drawn_once_each_have_the_figures_themselves(noise):
    generator = torch.Generator().manual_seed(0)
    identities = torch.arange(300) ** 2 // 700
    centres = torch.randn(200, 16, generator=generator)
    embeddings = centres[identities] + noise * torch.randn(300, 16, generator=generator)
    rows = Rows(torch.nn.functional.normalize(embeddings), identities, torch.arange(300))
    table = PairTable.of_all(rows)
    told = figures(score_all_pairs(*rows[:3]), 1.1, FARS)
    rates = replicate_rates(Replicates(table, np.ones((table.identities, 1), np.uint8)), 1.1, FARS)
    for name, values in rates.items():
        assert values[0] == pytest.approx(told[name], abs=1e-12), name
    assert set(rates) == {name for name in told if name.startswith(("tar", "far", "eer"))}


def test_thresholds_in_steps_accept_the_same_distances():
    for threshold in (0.0, 1.1, 0.7, 1.0, STEP, STEP * 1.5, 2.0):
        steps = steps_of(threshold)
        assert (steps - 1) * STEP < threshold <= steps * STEP
    assert steps_of(-1.0) == 0
    assert steps_of(9.0) * STEP > 2.0
