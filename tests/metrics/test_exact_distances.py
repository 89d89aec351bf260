from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facenet_lit.errors import UserError
from facenet_lit.metrics import exact_distances
from facenet_lit.metrics.exact_distances import STEP, ExactDistances, distances, listed_steps


def unit_vectors(rows: int, size: int, seed: int = 0, spread: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    centre = torch.randn(1, size, generator=generator)
    return torch.nn.functional.normalize(centre + spread * torch.randn(rows, size, generator=generator))


def every_distance(vectors: torch.Tensor) -> np.ndarray:
    """(N, N)"""
    everyone = slice(0, len(vectors))
    return distances(ExactDistances(vectors).tile(everyone, everyone))


def every_pair(rows: int) -> np.ndarray:
    return np.array(list(itertools.combinations(range(rows), 2))).T


@settings(deadline=None)
@given(
    st.integers(2, 60),
    st.sampled_from([1, 3, 128, 512]),
    st.integers(1, 60),
    st.integers(0, 9),
    st.sampled_from([0, 1 << 23]),
)
def test_a_distance_is_one_number_in_any_block_list_order_and_company(rows, size, cut, seed, few):
    vectors = unit_vectors(rows, size, seed)
    whole = every_distance(vectors)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact_distances, "_FEW", few)
        patch.setattr(exact_distances, "_PART", 7)
        patch.setattr(exact_distances, "_LISTED", 5)
        first, second = every_pair(rows)
        listed = distances(listed_steps(vectors, first, second))
        assert np.array_equal(listed, whole[first, second])
        order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed))
        exact = ExactDistances(vectors, order)
        cut = min(cut, rows - 1)
        shuffled = whole[order][:, order]
        assert np.array_equal(distances(exact.tile(slice(cut, rows), slice(0, cut))), shuffled[cut:, :cut])
        assert np.array_equal(distances(exact.tile(slice(0, 1), slice(0, rows))), shuffled[:1])
    assert np.array_equal(every_distance(vectors[cut:]), whole[cut:, cut:])


def test_equal_vectors_are_at_exactly_0_and_near_ones_are_told_apart():
    vectors = unit_vectors(50, 512).repeat(2, 1)
    assert (np.diagonal(every_distance(vectors)[:50, 50:]) == 0).all()
    vectors[50:, 0] += 1e-5
    near = np.diagonal(every_distance(vectors)[:50, 50:])
    np.testing.assert_allclose(near, 1e-5, atol=STEP / 2 + 1e-7)


def test_a_distance_is_that_of_the_rounded_vectors_to_the_nearest_step():
    vectors = unit_vectors(6, 128)
    rounded = [[Fraction(round(float(x) * 2**25), 2**25) for x in row] for row in vectors]
    for i, j in every_pair(6).T.tolist():
        square = sum((x - y) ** 2 for x, y in zip(rounded[i], rounded[j], strict=True))
        (found,) = listed_steps(vectors, np.array([i]), np.array([j]))
        assert found == round(np.float32(float(square) ** 0.5) / STEP)


def test_rounding_moves_about_half_a_step():
    for spread in (1.0, 0.01):
        vectors = unit_vectors(40, 512, spread=spread)
        first, second = every_pair(40)
        true = (vectors.double()[first] - vectors.double()[second]).norm(dim=1).numpy()
        found = distances(listed_steps(vectors, first, second))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, true, rtol=6e-8, atol=STEP / 2 + 6e-8)


def test_every_distance_of_unit_vectors_is_within_the_steps_there_are():
    vectors = (33 / 32) * unit_vectors(30, 64) * (1 - 1e-6)
    found = ExactDistances(torch.cat([vectors, -vectors])).tile(slice(0, 60), slice(0, 60))
    assert 0 == found.min() < found.max() < exact_distances.FARTHEST
    assert ExactDistances(torch.empty(0, 0)).tile(slice(0, 0), slice(0, 0)).shape == (0, 0)


def test_longer_vectors_are_refused():
    vectors = unit_vectors(30, 64)
    vectors[[3, 7]] *= 1.1
    with pytest.raises(UserError, match=r"2 of 30 rows are longer than 1\.03"):
        ExactDistances(vectors)
    with pytest.raises(UserError, match=r"1 of 3 rows are longer than 1\.03"):
        listed_steps(vectors, np.array([0, 4]), np.array([3, 3]))
    assert listed_steps(vectors, np.array([0]), np.array([4])).shape == (1,)
