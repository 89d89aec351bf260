from collections.abc import Iterator

import numpy as np

from facenet_lit.batch import BatchPlan
from facenet_lit.data.plan_sampler import PlanSampler


class Counting(PlanSampler):
    """Five batches of one row, numbered by epoch."""

    def __len__(self) -> int:
        return 5

    def plans(self, epoch: int) -> Iterator[BatchPlan]:
        for index in range(5):
            yield BatchPlan(epoch, index, np.array([10 * epoch + index]), None)


def numbers(sampler: PlanSampler) -> list[int]:
    return [int(plan.numbers[0]) for plan in sampler]


def test_gives_the_batches_of_its_epoch() -> None:
    sampler = Counting()
    assert numbers(sampler) == [0, 1, 2, 3, 4]
    sampler.set_epoch(3)
    assert numbers(sampler) == [30, 31, 32, 33, 34]


def test_skips_once() -> None:
    sampler = Counting()
    sampler.skip(3)
    assert numbers(sampler) == [3, 4]
    assert numbers(sampler) == [0, 1, 2, 3, 4]
    sampler.skip(5)
    assert numbers(sampler) == []
