from __future__ import annotations

import numpy as np
import pytest
import torch

from facenet_lit.batch import Rows
from facenet_lit.metrics import rates
from facenet_lit.metrics.bootstrap_draws import draw_counts
from facenet_lit.metrics.bootstrap_table import PairTable
from facenet_lit.metrics.pair_scoring import score_all_pairs, score_listed_pairs
from facenet_lit.metrics.resampling import GROUPS, evened_far, resample, resample_accuracy
from facenet_lit.metrics.scored_pairs import effective_identities


def drawn_rows(seed: int, people: int = 60, images: int = 4, dimensions: int = 16) -> Rows:
    generator = torch.Generator().manual_seed(seed)
    identities = torch.arange(people * images) // images
    centres = torch.randn(people, dimensions, generator=generator)
    noise = torch.randn(people * images, dimensions, generator=generator)
    return Rows(
        torch.nn.functional.normalize(centres[identities] + 0.8 * noise),
        identities,
        torch.arange(len(identities)),
    )


@pytest.mark.parametrize("people", [9, 130])
def test_without_a_group_the_rates_are_those_of_the_others(people):
    rows = drawn_rows(0, people, 2)
    found = resample(PairTable.of_all(rows), 3, 1.0, [0.1])
    groups = min(people, GROUPS)
    for group in (0, groups - 1):
        left = rows.identities % groups != group
        pairs = score_all_pairs(*(column[left] for column in rows[:3]))
        assert found["tar"].left_out[group] == pytest.approx(rates.tar(pairs, 1.0))
        assert found["tar_at_far_1e-1_balanced"].left_out[group] == pytest.approx(
            rates.tar_at_far(pairs, 0.1, True)
        )
    assert all(len(one.left_out) == groups and len(one.drawn) == 3 for one in found.values())


def test_the_far_spreads_as_that_of_samples_of_people():
    """Plain replicates spread far wider: here the FAR is about single pairs, not about single people."""
    tables = [PairTable.of_all(drawn_rows(seed)) for seed in range(60)]
    fars = [table.below(838861) / len(table) for table in tables]  # at a distance of 0.8
    resampled = [resample(table, 200, 0.8, [])["far"].drawn for table in tables]
    spread = np.mean([np.std(one) for one in resampled])
    assert spread == pytest.approx(np.std(fars), rel=0.25)
    counts = draw_counts(60, 200)
    plain = [quadratic_far(table, counts) for table in tables[:10]]
    assert np.mean([np.std(one) for one in plain]) > 1.3 * spread
    means = [abs(one.mean() - far) / far for one, far in zip(resampled, fars, strict=True)]
    assert max(means) < 0.1


def quadratic_far(table: PairTable, counts: np.ndarray) -> np.ndarray:
    _, first, second = table.impostors(slice(None))
    weights = counts[first].astype(float) * counts[second]
    return weights[: int(table.below(838861))].sum(0) / weights.sum(0)


def test_a_far_that_no_draw_changes_stays():
    table = PairTable.of_all(drawn_rows(0, 5))
    counts = draw_counts(5, 20)
    assert evened_far(table, counts, np.zeros(20), 0.0, 20).tolist() == [0.0] * 20


def test_what_is_left_out_does_not_change_how_far_replicates_are_drawn_in():
    """Nor how many groups are left out: they are no draws."""
    table = PairTable.of_all(drawn_rows(0, 30))
    counts = draw_counts(30, 50)
    left = (np.arange(30)[:, None] != np.arange(30)).astype(counts.dtype)
    both = np.concatenate([counts, left], axis=1)
    alone = evened_far(table, counts, quadratic_far(table, counts), 0.8, 50)
    found = evened_far(table, both, quadratic_far(table, both), 0.8, 50)
    assert found[:50] == pytest.approx(alone, rel=1e-12)
    assert found.shape == (80,)


def test_effective_identities():
    rows = drawn_rows(0, 6)
    rows = Rows(rows.embeddings, torch.tensor([0] * 12 + [1] * 6 + [2] * 3 + [3, 4, 5]), rows.numbers)
    found = resample(PairTable.of_all(rows), 2, 1.0, [0.1])
    kish = effective_identities(np.repeat([0, 1, 2], [66, 15, 3]))
    assert found["tar"].effective == found["tar"].trials == kish
    assert found["tar_balanced"].effective == 3
    sizes = np.array([12, 6, 3, 1, 1, 1])
    impostor = sizes * (24 - sizes)
    others = impostor.sum() ** 2 / (impostor**2).sum()
    assert found["far"].effective == pytest.approx(others)
    assert found["far"].trials == pytest.approx(others / 2)
    assert found["eer"].effective == min(kish, found["far"].effective)


def test_accuracy_of_listed_pairs():
    rows = drawn_rows(0, 40, 2)
    pairs = [[2 * k, 2 * k + 1] for k in range(40)] + [[2 * k, 2 * k + 3] for k in range(0, 39, 2)]
    found = resample_accuracy(PairTable.of_list(rows, pairs), 50, 1.0)
    told = rates.accuracy(score_listed_pairs(*rows[:3], pairs), 1.0)
    assert found.drawn.mean() == pytest.approx(told, abs=0.05)
    assert 30 < found.effective == found.trials <= len(pairs)
