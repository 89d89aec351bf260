"""Searches in integers against loops over floats."""

import numpy as np
import pytest
import torch

from facenet_lit.integer_search import closest_above, first_smallest, ordered_bits, places


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_bits_are_in_the_order_of_the_distances(kind: torch.dtype) -> None:
    values = torch.cat(
        [torch.rand(200).to(kind) * 4, torch.tensor([0.0, -0.0, 1e-40, 4.0, torch.inf]).to(kind)]
    )
    assert torch.equal(values.argsort(stable=True), ordered_bits(values).argsort(stable=True))
    assert ordered_bits(values).min() == 0


def test_what_is_no_number_comes_last_whatever_its_sign() -> None:
    infinite = torch.full((1,), torch.inf)
    for nan in (infinite / infinite, -(infinite / infinite), infinite - infinite):
        assert ordered_bits(nan).item() > ordered_bits(infinite).item()


def test_the_closest_above_is_that_of_a_loop() -> None:
    rng = np.random.default_rng(0)
    values = torch.from_numpy(rng.integers(-1, 9, (5, 12)))
    limits, rows = torch.from_numpy(rng.integers(0, 9, 30)), torch.from_numpy(rng.integers(0, 5, 30))
    columns, found = closest_above(limits, values, rows)
    for limit, row, column, there in zip(
        limits.tolist(), rows.tolist(), columns.tolist(), found.tolist(), strict=True
    ):
        above = [(value, place) for place, value in enumerate(values[row].tolist()) if value > limit]
        assert there == bool(above)
        assert not above or column == min(above)[1]


def test_places_and_first_smallest() -> None:
    mask = torch.rand(4, 7, generator=torch.Generator().manual_seed(0)) < 0.4
    assert torch.equal(torch.stack(places(mask), 1), mask.nonzero())
    values = torch.tensor([[3, 1, 1], [0, 5, 0]])
    assert first_smallest(values).tolist() == [1, 0]
