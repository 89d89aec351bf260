from __future__ import annotations

import pickle

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset

from facenet_lit.batch import Batch, BatchPlan, Rows, count_views, share_of


class Blank(Dataset[Batch]):
    """Makes the batch of a plan: the smallest dataset that a plan can be given to."""

    def __getitem__(self, plan: BatchPlan) -> Batch:
        numbers = torch.from_numpy(plan.numbers)
        triplets = None if plan.triplets is None else torch.from_numpy(plan.triplets)
        return Batch(torch.zeros(len(numbers), 3, 4, 4, dtype=torch.uint8), numbers // 2, numbers, triplets)


def plans() -> list[BatchPlan]:
    triplets = np.arange(6).reshape(2, 3)
    return [BatchPlan(0, 0, np.arange(6), triplets), BatchPlan(0, 1, np.arange(4), None)]


def test_plans_pass_through_a_loader_without_batching_of_its_own() -> None:
    loader: DataLoader[Batch] = DataLoader(Blank(), sampler=plans(), batch_size=None)  # type: ignore[arg-type]
    first, second = loader
    assert isinstance(first, Batch)
    assert first.images.shape == (6, 3, 4, 4)
    assert first.numbers.tolist() == list(range(6))
    assert first.triplets is not None
    assert first.triplets.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert second.triplets is None


def test_plans_survive_the_way_to_a_worker() -> None:
    for plan in plans():
        back = pickle.loads(pickle.dumps(plan))
        assert (back.epoch, back.batch) == (plan.epoch, plan.batch)
        np.testing.assert_array_equal(back.numbers, plan.numbers)
        assert (back.triplets is None) == (plan.triplets is None)


def test_rows_take_their_parts_in_order() -> None:
    rows = Rows(torch.eye(2), torch.tensor([5, 6]), torch.tensor([7, 8]))
    assert rows._fields == ("embeddings", "identities", "numbers", "views")
    assert rows.views is None


@given(st.lists(st.integers(0, 5)))
def test_views_count_the_rows_before_that_show_the_same_image(numbers: list[int]) -> None:
    expected = [numbers[:place].count(number) for place, number in enumerate(numbers)]
    assert count_views(np.array(numbers, dtype=np.int64)).tolist() == expected


@given(total=st.integers(0, 400), world=st.integers(1, 40))
def test_shares_are_contiguous_and_even(total: int, world: int) -> None:
    shares = [share_of(total, rank, world) for rank in range(world)]
    assert [row for first, last in shares for row in range(first, last)] == list(range(total))
    sizes = [last - first for first, last in shares]
    assert max(sizes) - min(sizes) <= 1
