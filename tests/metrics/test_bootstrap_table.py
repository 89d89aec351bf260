from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from facenet_lit.batch import Rows
from facenet_lit.metrics import bootstrap_table, pair_scoring
from facenet_lit.metrics.bootstrap_table import PAST, PairTable
from facenet_lit.metrics.exact_distances import STEP


def made_rows(images: int = 40, people: int = 7) -> Rows:
    generator = torch.Generator().manual_seed(1)
    embeddings = torch.nn.functional.normalize(torch.randn(images, 8, generator=generator))
    identities = torch.randint(people, (images,), generator=generator) * 3 + 5
    return Rows(embeddings, identities, torch.arange(images) * 2)


def looped(rows: Rows, pairs: list[tuple[int, int]]) -> tuple[list, list]:
    """Distances in steps and the places of identities, of impostor and of genuine pairs, ascending."""
    places = {name: place for place, name in enumerate(sorted(set(rows.identities.tolist())))}
    impostor, genuine = [], []
    for i, j in pairs:
        alone = pair_scoring.score_all_pairs(*(column[[i, j]] for column in rows[:3]))
        one, other = sorted((places[int(rows.identities[i])], places[int(rows.identities[j])]))
        if one == other:
            genuine.append((round(float(alone.genuine[0]) / STEP), one))
        else:
            impostor.append((round(float(alone.impostor.values()[0]) / STEP), one, other))
    return sorted(impostor), sorted(genuine)


def told(table: PairTable) -> tuple[list, list]:
    impostor = list(zip(*(column.tolist() for column in table.impostors(slice(None))), strict=True))
    return impostor, list(zip(table.genuine_steps.tolist(), table.genuine_of.tolist(), strict=True))


def test_all_pairs_are_those_of_a_loop(monkeypatch):
    rows = made_rows()
    expected = looped(rows, list(itertools.combinations(range(40), 2)))
    for block in (1, 7, 512):
        monkeypatch.setattr(pair_scoring, "BLOCK", block)
        table = PairTable.of_all(rows)
        assert told(table) == expected
    assert table.images.tolist() == np.unique(rows.identities, return_counts=True)[1].tolist()


def test_listed_pairs_are_there_as_often_as_they_are_listed():
    rows = made_rows()
    pairs = [*itertools.combinations(range(3, 30), 2)][::3]
    pairs = [*pairs, *((j, i) for i, j in pairs[:20])]
    table = PairTable.of_list(rows, [[2 * i, 2 * j] for i, j in pairs])
    named = Rows(*(column[3:30] for column in rows[:3]))  # only the identities that are listed have a place
    assert told(table) == looped(named, [(i - 3, j - 3) for i, j in pairs])
    assert table.identities == len(set(named.identities.tolist()))


@pytest.mark.parametrize("part", [1, 50, 1 << 20])
def test_what_is_nearer_than_thresholds(part, monkeypatch):
    monkeypatch.setattr(bootstrap_table, "_PART", part)
    table = PairTable.of_all(made_rows())
    impostor, genuine = told(table)
    cuts = np.array([0, impostor[9][0], impostor[9][0] + 1, genuine[4][0], impostor[-1][0], PAST])
    pairs_of = np.bincount([of for _, of in genuine], minlength=7)
    for cut, counted in zip(cuts, table.weights_below(cuts).T, strict=True):
        assert counted[0] == sum(d < cut for d, *_ in impostor)
        assert counted[1] == sum(d < cut for d, _ in genuine)
        assert counted[2] == pytest.approx(sum(1 / pairs_of[of] for d, of in genuine if d < cut))
    for nearest in (0, 30, len(table)):
        of = [place for _, *both in impostor[:nearest] for place in both]
        assert table.impostors_of(nearest).tolist() == np.bincount(of, minlength=7).tolist()
