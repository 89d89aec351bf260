import pytest
import torch

from facenet_lit.losses.loss import LossSum, in_full


@pytest.mark.parametrize(("count", "expected"), [(4, 0.75), (1, 3.0), (0, 3.0)])
def test_the_value_is_the_mean_and_defined_over_nothing(count: int, expected: float) -> None:
    total = torch.tensor(3.0, requires_grad=True)
    value = LossSum(total, torch.tensor(count), torch.tensor(0), 9).value
    assert value.item() == expected
    value.backward()
    assert total.grad is not None
    assert total.grad.item() == expected / 3


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_halves_are_scored_in_full(given: torch.dtype, kept: torch.dtype) -> None:
    assert in_full(torch.ones(2, 3, dtype=given)).dtype == kept
