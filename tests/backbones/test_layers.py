"""The shared layers: sizes that always fit, He's variance, the stems, and float32 averages over a grid."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from facenet_lit.backbones.layers import INITS, STEMS, GridAverage, build_stem, convolution, draw_weights
from facenet_lit.errors import UserError


@given(
    kernel=st.sampled_from([1, 3, 5, 7]),
    stride=st.sampled_from([1, 2]),
    height=st.integers(1, 20),
    width=st.integers(1, 20),
)
@settings(max_examples=30, deadline=None)
def test_output_size_depends_on_the_stride_alone(kernel: int, stride: int, height: int, width: int) -> None:
    maps = nn.Sequential(*convolution(2, 4, kernel, stride, groups=2)).eval()(
        torch.randn(1, 2, height, width)
    )
    assert maps.shape == (1, 4, math.ceil(height / stride), math.ceil(width / stride))


@pytest.mark.parametrize(("kernel", "groups"), [(1, 1), (3, 1), (3, 4)])
def test_variance_is_two_over_fan_out(kernel: int, groups: int) -> None:
    torch.manual_seed(0)
    layer = convolution(64, 128, kernel, groups=groups)[0]
    # The gradient of an input place comes from kernel^2 places of every output channel; He et al. 2015,
    # equation 14. torch counts all output channels, as torchvision's networks do, also where they are grouped.
    expected = 2 / (128 * kernel**2)
    assert layer.weight.var().item() == pytest.approx(expected, rel=0.1)
    assert layer.bias is None


def test_weights_as_torch_draws_them() -> None:
    def made(init: str | None) -> nn.Sequential:
        torch.manual_seed(0)
        network = nn.Sequential(
            *convolution(64, 128, 3, batch_norm=False), nn.Sequential(*convolution(8, 8, 1))
        )
        if init is not None:
            draw_weights(network, init)
        return network

    he, left, drawn = (list(made(init).parameters()) for init in (None, *INITS))
    assert all(map(torch.equal, he, left))
    reach = 1 / (64 * 9) ** 0.5  # of an even distribution, whose variance is reach^2 / 3
    for values in drawn[:2]:
        assert 0.9 * reach < values.abs().max() <= reach
        assert values.var().item() == pytest.approx(reach**2 / 3, rel=0.2)
    assert 0.8 * 8**-0.5 < drawn[2].abs().max() <= 8**-0.5


def test_drawn_as_torch_does_pictures_fade_without_batchnorm() -> None:
    def spread(init: str) -> float:
        """How far features of other pictures are apart, as a share of their length."""
        torch.manual_seed(0)
        layers = [
            layer for _ in range(12) for layer in (*convolution(32, 32, 3, batch_norm=False), nn.ReLU())
        ]
        network = nn.Sequential(*convolution(3, 32, 3, batch_norm=False), *layers)
        draw_weights(network, init)
        features = network(torch.randn(8, 3, 16, 16)).detach().flatten(1)
        return float((features - features.mean(0)).norm() / features.norm())

    assert spread("torch") < 0.02 < 0.3 < spread("he")


@pytest.mark.parametrize(("stem", "share"), [("small", 2), ("imagenet", 4)])
def test_stem_sizes(stem: str, share: int) -> None:
    maps = build_stem(stem, 8).eval()(torch.randn(2, 3, 64, 96))
    assert maps.shape == (2, 8, 64 // share, 96 // share)
    assert maps.min() >= 0


def test_unknown_stem() -> None:
    with pytest.raises(UserError, match=rf"^model\.arguments\.stem=big: expected one of {', '.join(STEMS)}$"):
        build_stem("big", 8)


def test_average_is_exact_over_bfloat16_maps() -> None:
    """Summed and kept in bfloat16, 1 + 1 / 4096 would be 1."""
    maps = torch.ones(2, 3, 32, 64, dtype=torch.bfloat16)
    maps[:, :, 0, 0] = 1.5
    average = GridAverage(1)(maps)
    assert average.dtype == torch.float32
    assert torch.equal(average, torch.full((2, 3), 1 + 0.5 / 2048))


@pytest.mark.parametrize(("grid", "height", "width"), [(1, 5, 7), (2, 4, 6), (4, 4, 4), (3, 6, 9)])
def test_cells_are_means_of_their_places(grid: int, height: int, width: int) -> None:
    maps = torch.randn(2, 3, height, width)
    high, wide = height // grid, width // grid
    expected = [
        maps[
            n,
            c,
            i * high : (i + 1) * high if grid > 1 else None,
            j * wide : (j + 1) * wide if grid > 1 else None,
        ]
        .mean()
        .item()
        for n in range(2)
        for c in range(3)
        for i in range(grid)
        for j in range(grid)
    ]
    cells = GridAverage(grid)(maps)
    assert cells.shape == (2, 3 * grid * grid)
    assert cells.flatten().tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("grid", [0, 1.5, "4"])
def test_bad_grid_is_named(grid: object) -> None:
    with pytest.raises(UserError, match=r"^model\.arguments\.grid=.*expected"):
        GridAverage(grid)  # type: ignore[arg-type]


def test_cells_share_places_where_the_grid_does_not_divide() -> None:
    line = torch.arange(7.0).expand(1, 1, 7, 7)
    cells = GridAverage(3)(line).reshape(3, 3)
    assert cells[0].tolist() == [1.0, 3.0, 5.0]  # places 0 to 2, 2 to 4, 4 to 6


@pytest.mark.parametrize("shape", [(3, 9), (9, 3)])
def test_a_grid_finer_than_the_maps_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(UserError, match=r"^model\.arguments\.grid=4: .* \dx\d .* from 1 to 3$"):
        GridAverage(4).eval()(torch.zeros(1, 2, *shape))


def test_in_training_cells_share_places_where_maps_are_coarser_than_the_grid() -> None:
    line = torch.arange(3.0).expand(1, 1, 3, 3)
    cells = GridAverage(4)(line).reshape(4, 4)
    assert cells[0].tolist() == [0.0, 0.5, 1.5, 2.0]  # places 0, 0 and 1, 1 and 2, 2
