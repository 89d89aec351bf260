"""BatchNorm over several processes against torch's over the joined batch."""

import pytest
import torch
from gloo_processes import Processes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from facenet_lit import gathering
from facenet_lit.backbones.synced_batch_norm import SyncedBatchNorm, refuse_odd_batch_norms, sync_batch_norms
from facenet_lit.batch import share_of
from facenet_lit.errors import UserError

TOLERANCE = {"rtol": 1e-10, "atol": 1e-12}


def layer(dimensions: int, momentum: float | None, affine: bool) -> nn.Module:
    torch.manual_seed(0)
    kind = {2: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}[dimensions]
    norm = kind(3, momentum=momentum, affine=affine).double()
    for weight in norm.parameters():
        nn.init.normal_(weight)
    return norm


def batch(rows: int, dimensions: int) -> Tensor:
    generator = torch.Generator().manual_seed(rows)
    shape = (rows, 3, 2, 4, 2)[:dimensions]
    return 1000 + 3 * torch.randn(shape, generator=generator, dtype=torch.float64)


def two_steps(norm: nn.Module, values: Tensor) -> tuple[Tensor, Tensor, list[Tensor], dict]:
    """Two training steps, and what came of them: output, gradients, statistics."""
    total = len(values)
    first, last = share_of(total, gathering.rank(), gathering.world_size())
    weigh = (
        torch.arange(values.numel(), dtype=torch.float64).view_as(values)[first:last].cos().to(values.device)
    )
    own = values[first:last].clone().requires_grad_()
    norm(own * 2 + 1)
    output = norm(own)
    (output.square() * weigh).sum().backward()
    gradients = [gathering.sum_of(weight.grad) for weight in norm.parameters()]
    return output.detach(), own.grad, gradients, {k: v.clone() for k, v in norm.state_dict().items()}


def synced(dimensions: int, momentum: float | None, affine: bool, rows: int) -> tuple:
    norm = sync_batch_norms(nn.Sequential(layer(dimensions, momentum, affine)))
    assert type(norm[0]) is SyncedBatchNorm
    return two_steps(norm[0], batch(rows, dimensions))


@settings(max_examples=14, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    world=st.sampled_from([1, 2, 4]),
    rows=st.integers(2, 9),  # of 4 processes some have none
    dimensions=st.sampled_from([2, 4, 5]),
    momentum=st.sampled_from([0.1, None]),
    affine=st.booleans(),
)
def test_equal_to_torch_on_the_joined_batch(
    together: Processes, world: int, rows: int, dimensions: int, momentum: float | None, affine: bool
) -> None:
    expected = two_steps(layer(dimensions, momentum, affine), batch(rows, dimensions))
    results = together(world, synced, dimensions, momentum, affine, rows)
    for place in range(2):  # output and its gradient
        joined = torch.cat([result[place] for result in results])
        assert torch.allclose(joined, expected[place], **TOLERANCE)
    for result in results:
        for one, other in zip(result[2], expected[2], strict=True):
            assert torch.allclose(one, other, **TOLERANCE)
        assert set(result[3]) == set(expected[3])
        for name, value in expected[3].items():
            assert torch.allclose(result[3][name], value, **TOLERANCE), name


def test_it_takes_parameters_and_statistics_over() -> None:
    kept = nn.Sequential(
        nn.Conv2d(3, 3, 1), nn.Sequential(nn.BatchNorm2d(3)), nn.BatchNorm1d(3, affine=False)
    )
    kept[1].eval()
    names, weights = list(kept.state_dict()), list(kept.parameters())
    statistics = kept[1][0].running_var
    assert sync_batch_norms(kept) is kept
    assert list(kept.state_dict()) == names
    assert all(one is other for one, other in zip(kept.parameters(), weights, strict=True))
    assert kept[1][0].running_var is statistics
    assert not kept[1][0].training
    assert kept[2].training
    sync_batch_norms(kept)  # again changes nothing
    assert type(kept[2]) is SyncedBatchNorm


def half_precision() -> tuple[torch.dtype, Tensor]:
    norm = sync_batch_norms(nn.Sequential(nn.BatchNorm2d(3)))[0]
    output = norm(batch(4, 4)[gathering.rank() * 2 :][:2].bfloat16())
    return output.dtype, norm.running_mean


def test_half_precision_goes_in_and_comes_out(together: Processes) -> None:
    for dtype, mean in together(2, half_precision):
        assert dtype == torch.bfloat16
        assert torch.allclose(mean, 0.1 * batch(4, 4).bfloat16().float().mean((0, 2, 3)), rtol=1e-3)


def too_few() -> None:
    first, last = share_of(1, gathering.rank(), gathering.world_size())
    with pytest.raises(ValueError, match="more than one value of each channel, got 1"):
        SyncedBatchNorm(nn.BatchNorm1d(3))(torch.zeros(1, 3)[first:last])


def test_one_value_has_no_deviation(together: Processes) -> None:
    together(2, too_few)


class Odd(nn.BatchNorm2d):
    """A kind of its own, such as timm's with an activation."""


def test_another_kind_is_refused() -> None:
    with pytest.raises(UserError, match=r"trainer\.devices: Odd can't share"):
        refuse_odd_batch_norms(nn.Sequential(nn.Sequential(Odd(3))))
    refuse_odd_batch_norms(sync_batch_norms(nn.Sequential(nn.BatchNorm2d(3), nn.Linear(2, 2))))
