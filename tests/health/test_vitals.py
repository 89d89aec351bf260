"""Each measure against a loop, scikit-learn or SciPy, and what may not change it."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import svdvals
from scipy.stats import entropy, ortho_group
from torch import Tensor
from torch.nn.functional import normalize

from facenet_lit.batch import Rows
from facenet_lit.health.vitals import MOST_ROWS, Vitals, effective_rank, shape_of, spread_of


def rows(embeddings: Tensor, each: int = 3) -> Rows:
    """Rows of so many images of an identity."""
    numbers = torch.arange(len(embeddings))
    return Rows(embeddings, numbers // each, numbers)


def drawn(count: int, size: int, seed: int = 0) -> Tensor:
    return normalize(torch.randn(count, size, generator=torch.Generator().manual_seed(seed)), dim=1)


@pytest.mark.parametrize(("count", "size"), [(40, 8), (8, 40), (12, 12)])
def test_effective_rank_is_that_of_the_products(count: int, size: int) -> None:
    matrix = torch.randn(count, size, dtype=torch.float64)
    products = (matrix.T @ matrix).numpy()
    assert effective_rank(matrix) == pytest.approx(math.exp(entropy(svdvals(products))), rel=1e-9)


@given(st.integers(1, 6), st.integers(0, 99), st.floats(0.01, 100))
@settings(max_examples=25, deadline=None)
def test_effective_rank_counts_dimensions_however_turned_and_scaled(k: int, seed: int, scale: float) -> None:
    turn = torch.from_numpy(ortho_group.rvs(8, random_state=seed))
    axes = torch.cat([torch.eye(k, 8, dtype=torch.float64)] * 3)  # evenly spread over k dimensions
    assert effective_rank(scale * axes @ turn) == pytest.approx(k, rel=1e-6)
    uneven = axes * torch.rand(8, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    assert effective_rank(uneven @ turn) == pytest.approx(effective_rank(uneven), rel=1e-6)
    assert 1 - 1e-6 <= effective_rank(uneven) <= k + 1e-6


def test_nothing_has_no_dimension() -> None:
    assert effective_rank(torch.zeros(5, 3)) == 0


def test_distances_spread_and_loss_are_those_of_a_loop() -> None:
    embeddings = drawn(30, 5)
    people = torch.arange(30) // 4  # the last has two
    numbers = torch.arange(30)
    numbers[1] = numbers[0]  # the same image twice is no pair
    shape = shape_of(Rows(embeddings, people, numbers), 0.3)
    assert shape is not None
    e = embeddings.double().numpy()
    pairs = [(i, j) for i in range(30) for j in range(30) if numbers[i] != numbers[j]]
    apart = {(i, j): float(np.linalg.norm(e[i] - e[j])) for i, j in pairs}
    genuine = [d for (i, j), d in apart.items() if people[i] == people[j]]
    impostor = [d for (i, j), d in apart.items() if people[i] != people[j]]
    assert shape.genuine_distance == pytest.approx(np.mean(genuine), rel=1e-9)
    assert shape.impostor_distance == pytest.approx(np.mean(impostor), rel=1e-9)
    assert float(spread_of(embeddings)) == pytest.approx(shape.spread, abs=1e-5)
    around = np.linalg.norm(e - e.mean(0), axis=1)
    assert shape.spread == pytest.approx(math.sqrt(np.mean(around**2)), rel=1e-9)
    assert shape.effective_rank == pytest.approx(math.exp(entropy(svdvals(np.cov(e.T)))), rel=1e-9)
    assert shape.room == min(5, 8 - 1)


def test_unmined_loss_is_nearly_the_mean_over_all_triplets() -> None:
    embeddings = normalize(drawn(60, 6) + 0.8 * drawn(20, 6, 1).repeat_interleave(3, 0), dim=1)
    distances = torch.cdist(embeddings, embeddings)
    batch = rows(embeddings)
    genuine, impostor = batch.pairs_with(batch)
    for squared in (False, True):
        d = distances**2 if squared else distances
        every = [
            (d[a, p] - d[a, impostor[a]] + 0.2).clamp_min(0).mean() for a, p in genuine.nonzero().tolist()
        ]
        shape = shape_of(batch, 0.2, squared)
        assert shape is not None
        assert shape.unmined_loss == pytest.approx(float(torch.stack(every).mean()), rel=0.25)
    # In one point it is the margin, and with identities far apart 0.
    one, far = (
        shape_of(rows(e), 0.2) for e in (drawn(1, 6).expand(30, 6), torch.eye(10).repeat_interleave(3, 0))
    )
    assert one is not None
    assert far is not None
    assert one.unmined_loss == pytest.approx(0.2, abs=1e-6)
    assert far.unmined_loss == 0


def test_what_is_not_there_is_none() -> None:
    alone = shape_of(rows(drawn(5, 4), each=1), 0.2)
    assert alone is not None
    assert (alone.genuine_distance, alone.unmined_loss) == (None, None)
    together = shape_of(rows(drawn(5, 4), each=5), 0.2)
    assert together is not None
    assert (together.impostor_distance, together.unmined_loss) == (None, None)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_has_no_shape(value: float) -> None:
    embeddings = drawn(6, 4)
    embeddings[3, 2] = value
    assert shape_of(rows(embeddings), 0.2) is None


def test_only_so_many_rows_are_looked_at_and_nothing_is_changed() -> None:
    embeddings = drawn(MOST_ROWS + 50, 4).requires_grad_()
    kept = embeddings.detach().clone()
    first = shape_of(rows(embeddings[:MOST_ROWS]), 0.2)
    assert shape_of(rows(embeddings), 0.2) == first
    assert torch.equal(embeddings, kept)


def test_figures_have_names_and_no_holes() -> None:
    shape = shape_of(rows(drawn(5, 4), each=1), 0.2)
    whole = Vitals(7, 0.5, 0.25, 2.0, 0.75, shape).figures()
    assert list(whole) == [
        "health/loss", "health/active_share", "health/gradient_norm", "health/least_spread", "health/effective_rank",
        "health/spread",
        "health/impostor_distance",
    ]  # fmt: skip
    assert Vitals(7, 0.5, None, 2.0, math.nan, None).figures() == {
        "health/loss": 0.5,
        "health/gradient_norm": 2.0,
    }
