import pytest
import torch
from gloo_processes import Processes

from facenet_lit import gathering
from facenet_lit.losses.loss import LossSum


@pytest.mark.parametrize(("count", "expected"), [(4, 0.75), (1, 3.0), (0, 3.0)])
def test_the_value_is_the_mean_and_defined_over_nothing(count: int, expected: float) -> None:
    total = torch.tensor(3.0, requires_grad=True)
    value = LossSum(total, torch.tensor(count), torch.tensor(0), torch.tensor(9)).value
    assert value.item() == expected
    value.backward()
    assert total.grad is not None
    assert total.grad.item() == expected / 3


def of_this_process() -> tuple[float, float, list[int], float]:
    """A loss that is a function of the process's number, and another added to it."""
    me = gathering.rank()
    weight = torch.tensor(2.0, requires_grad=True)
    other = LossSum(weight * me, torch.tensor(1), torch.tensor(0), torch.tensor(2))
    own = LossSum(weight * (1 + me), torch.tensor(me), torch.tensor(10 * me), torch.tensor(3), (other,))
    joined = own.over_processes()
    joined.value.backward()
    counts = [int(joined.count), int(joined.active), int(joined.considered), int(joined.added[0].count)]
    return float(joined.value.detach()), float(weight.grad), counts, float(own.value.detach())


def test_the_mean_is_that_of_all_processes(together: Processes) -> None:
    results = together(4, of_this_process)
    # (1 + 2 + 3 + 4) of 0 + 1 + 2 + 3, and (0 + 1 + 2 + 3) of 4, each times the weight.
    mean = 2 * (10 / 6 + 6 / 4)
    assert [value for value, *_ in results] == pytest.approx([mean] * 4)
    assert all(counts == [6, 60, 12, 4] for _, _, counts, _ in results)
    # Averaged over the processes, as they do it, the gradients are that of the mean.
    gradients = [gradient for _, gradient, *_ in results]
    assert sum(gradients) / 4 == pytest.approx(mean / 2)


def test_alone_it_is_as_it_was() -> None:
    value, gradient, counts, own = of_this_process()
    assert value == own
    assert gradient == 1.0
    assert counts == [0, 0, 3, 1]
