from itertools import combinations

import numpy as np
import pytest
import torch
from gloo_processes import Processes
from hypothesis import given, settings
from hypothesis import strategies as st

from facenet_lit.batch import share_of
from facenet_lit.errors import UserError
from facenet_lit.metrics.hardest_pairs import FoundPairs, HardestPairs, hardest_pairs
from facenet_lit.metrics.pair_scoring import score_listed_pairs
from facenet_lit.metrics.verification import VerificationMetric

Pairs = list[tuple[int, int]]


def drawn(
    seed: int, images: int, people: int, coarse: bool
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Unit vectors, of which many coincide where ``coarse``, in a scrambled order of their image numbers."""
    rng = np.random.default_rng(seed)
    values = rng.integers(-1, 2, (images, 3)).astype(float) if coarse else rng.normal(size=(images, 8))
    values[(values == 0).all(1), 0] = 1
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    numbers = rng.permutation(3 * images)[:images]
    return (
        torch.tensor(values, dtype=torch.float32),
        torch.from_numpy(rng.integers(0, people, images)),
        torch.from_numpy(numbers),
    )


def brute_force(
    embeddings: torch.Tensor, identities: torch.Tensor, numbers: torch.Tensor, count: int
) -> tuple[Pairs, Pairs]:
    """Every pair with the distance that a list gives it, sorted."""
    people = dict(zip(numbers.tolist(), identities.tolist(), strict=True))
    ranked: tuple[list, list] = ([], [])
    for pair in combinations(sorted(people), 2):
        scored = score_listed_pairs(embeddings, identities, numbers, [pair])
        same = people[pair[0]] == people[pair[1]]
        distance = float(scored.genuine[0] if same else scored.impostor.at(0))
        ranked[same].append((-distance if same else distance, *pair))
    impostor, genuine = ([pair[1:] for pair in sorted(kind)[:count]] for kind in ranked)
    return impostor, genuine


def as_pairs(found: FoundPairs) -> Pairs:
    return [tuple(pair) for pair in found.numbers.tolist()]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    images=st.integers(0, 24),
    people=st.integers(1, 8),
    count=st.integers(1, 9),
    coarse=st.booleans(),
)
def test_the_pairs_of_brute_force_in_its_order(
    seed: int, images: int, people: int, count: int, coarse: bool
) -> None:
    rows = drawn(seed, images, people, coarse)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("facenet_lit.metrics.pair_scoring.BLOCK", 5)  # several tiles, the last ones narrower
        found = hardest_pairs(*rows, count)
    impostor, genuine = brute_force(*rows, count)
    assert as_pairs(found.impostor) == impostor
    assert as_pairs(found.genuine) == genuine
    for kind in found:
        listed = score_listed_pairs(*rows, kind.numbers)
        assert sorted(kind.distances) == sorted([*listed.genuine, *listed.impostor.values()])


def test_tiles_of_the_usual_size_find_what_sorting_all_distances_finds() -> None:
    embeddings, identities, numbers = drawn(0, 1200, 100, False)
    order = torch.argsort(numbers)
    embeddings, identities, numbers = embeddings[order], identities[order], numbers[order]
    apart = torch.cdist(embeddings.double(), embeddings.double())
    same, later = identities[:, None] == identities, torch.ones(1200, 1200).triu(1).bool()
    found = hardest_pairs(embeddings, identities, numbers, 50)
    for kind, of_kind, farthest in ((found.impostor, ~same, False), (found.genuine, same, True)):
        first, second = (of_kind & later).nonzero(as_tuple=True)
        best = torch.argsort(apart[first, second], descending=farthest)[:50]
        # Distances are rounded to steps of 2^-20, within which the order is by number.
        assert np.abs(apart[first, second][best].numpy() - kind.distances).max() < 1e-6
        expected = set(zip(numbers[first[best]].tolist(), numbers[second[best]].tolist(), strict=True))
        assert len(expected & set(as_pairs(kind))) >= 49


def test_equal_distances_go_by_image_number() -> None:
    embeddings = torch.eye(2)[torch.zeros(1100, dtype=torch.long)]
    people = torch.arange(1100) // 2
    found = hardest_pairs(embeddings, people, torch.arange(1100), 4)
    assert as_pairs(found.impostor) == [(0, 2), (0, 3), (0, 4), (0, 5)]
    assert as_pairs(found.genuine) == [(0, 1), (2, 3), (4, 5), (6, 7)]


def test_a_repeated_image_makes_no_pair_with_itself() -> None:
    embeddings, number = torch.eye(3)[[0, 0, 1, 2]], torch.tensor([4, 4, 7, 9])
    found = hardest_pairs(embeddings, torch.tensor([0, 0, 0, 1]), number, 10)
    assert as_pairs(found.genuine) == [(4, 7)]
    assert as_pairs(found.impostor) == [(4, 9), (7, 9)]


def test_none_is_found_where_there_is_none() -> None:
    found = hardest_pairs(torch.eye(3), torch.arange(3), torch.arange(3), 5)
    assert found.genuine.numbers.shape == (0, 2)
    assert len(found.impostor.distances) == 3
    with pytest.raises(UserError, match="count=0: expected an integer from 1 to 1000"):
        hardest_pairs(torch.eye(3), torch.arange(3), torch.arange(3), 0)


def collected_here(seed: int) -> HardestPairs | None:
    """What the first process finds of rows that all of them have collected, the last ones twice."""
    import torch.distributed as dist

    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    rows = drawn(seed, 61, 12, True)
    first, last = share_of(61, rank, world)
    metric = VerificationMetric(1.1, [0.1])
    metric.update(*(part[first:last] for part in rows))
    metric.update(*(part[-1:] for part in rows))
    metric.compute()
    return None if rank else hardest_pairs(*metric.collected()[:3], 7)


@pytest.mark.parametrize("world", [2, 3])
def test_the_same_on_any_number_of_processes(together: Processes, world: int) -> None:
    alone, (several, *others) = collected_here(0), together(world, collected_here, 0)
    assert others == [None] * (world - 1)
    for one, more in zip(alone, several, strict=True):
        assert np.array_equal(one.numbers, more.numbers)
        assert np.array_equal(one.distances, more.distances)
