from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.metrics.exact_distances import ExactDistances


def unit_vectors(rows: int, size: int, seed: int = 0, spread: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    centre = torch.randn(1, size, generator=generator)
    return torch.nn.functional.normalize(centre + spread * torch.randn(rows, size, generator=generator))


def every_distance(vectors: torch.Tensor) -> np.ndarray:
    """(N, N)"""
    everyone = slice(0, len(vectors))
    return ExactDistances(vectors).tile(everyone, everyone)


def every_pair(rows: int) -> torch.Tensor:
    return torch.tensor(list(itertools.combinations(range(rows), 2))).T


@given(st.integers(2, 60), st.sampled_from([1, 3, 128, 512]), st.integers(1, 60), st.integers(0, 9))
def test_a_distance_is_one_number_in_any_block_list_and_company(rows, size, cut, seed):
    vectors = unit_vectors(rows, size, seed)
    whole = every_distance(vectors)
    first, second = every_pair(rows)
    assert np.array_equal(ExactDistances(vectors).listed(first, second), whole[first.numpy(), second.numpy()])
    cut = min(cut, rows - 1)
    assert np.array_equal(ExactDistances(vectors).tile(slice(cut, rows), slice(0, cut)), whole[cut:, :cut])
    assert np.array_equal(every_distance(vectors[cut:]), whole[cut:, cut:])


def test_equal_vectors_are_at_exactly_0_and_near_ones_are_told_apart():
    vectors = unit_vectors(50, 512).repeat(2, 1)
    distances = every_distance(vectors)
    assert (np.diagonal(distances[:50, 50:]) == 0).all()
    vectors[50:, 0] += 1e-5
    near = np.diagonal(every_distance(vectors)[:50, 50:])
    np.testing.assert_allclose(near, 1e-5, rtol=0.01)


def test_a_distance_is_that_of_the_rounded_vectors_without_an_error():
    vectors = unit_vectors(6, 128)
    distances = ExactDistances(vectors)
    rounded = [[Fraction(round(float(x) * 2**25), 2**25) for x in row] for row in vectors]
    for i, j in every_pair(6).T.tolist():
        square = sum((x - y) ** 2 for x, y in zip(rounded[i], rounded[j], strict=True))
        (found,) = distances.listed(torch.tensor([i]), torch.tensor([j]))
        assert found == np.float32(float(square) ** 0.5)


def test_rounding_moves_less_than_float32_can_tell():
    for spread in (1.0, 0.01):
        vectors = unit_vectors(40, 512, spread=spread)
        first, second = every_pair(40)
        true = (vectors.double()[first] - vectors.double()[second]).norm(dim=1).numpy()
        found = ExactDistances(vectors).listed(first, second)
        np.testing.assert_allclose(found, true, rtol=6e-8, atol=6e-8)


def test_vectors_of_any_length_have_a_distance():
    found = every_distance(1e6 * unit_vectors(30, 64).repeat(2, 1))
    assert np.isfinite(found).all()
    assert every_distance(torch.empty(0, 0)).shape == (0, 0)
