"""ResNeXt against torchvision's, its shapes, its gradients and its arguments."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor, nn

from facenet_lit.backbones.resnext import Bottleneck, ResNeXt
from facenet_lit.errors import UserError

SMALL = {"depths": [1, 2], "cardinality": 2, "group_width": 4, "width": 8, "expansion": 2, "stem": "small"}


def wake(network: nn.Module) -> None:
    """Draws every BatchNorm's numbers, so that no branch is hidden by its scale of 0."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias)
            nn.init.normal_(layer.running_mean)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)


def copy_in_order(source: nn.Module, target: nn.Module) -> None:
    """Copies parameters and running figures by their order; shapes and counts have to agree."""
    values = list(source.state_dict().values())
    names = list(target.state_dict())
    assert len(names) == len(values)
    target.load_state_dict(dict(zip(names, values, strict=True)))


@pytest.mark.parametrize("training", [False, True])
def test_equals_torchvision_resnext50(training: bool) -> None:
    torch.manual_seed(0)
    reference = torchvision.models.resnext50_32x4d(weights=None)
    reference.fc = nn.Identity()
    wake(reference)
    network = ResNeXt(depths=[3, 4, 6, 3], cardinality=32, group_width=4, width=64, stem="imagenet")
    copy_in_order(reference, network)
    reference.train(training)
    network.train(training)
    images = torch.randn(2, 3, 75, 96)
    with torch.no_grad():
        expected = reference(images)
        result = network(images)
    assert result.shape == (2, 2048)
    assert expected.std() > 0.1
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-5)


def test_defaults_are_resnext50() -> None:
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in ResNeXt().parameters())
    assert count == 25_028_904 - (2048 * 1000 + 1000)  # torchvision's figure without the classifier


def test_bottleneck_against_the_sum_of_paths() -> None:
    """The paper's figure 3a: as many narrow networks as the cardinality, added up."""
    torch.manual_seed(0)
    block = Bottleneck(6, 8, 6, groups=4, stride=1, pool=False).eval()
    wake(block)
    maps = torch.randn(2, 6, 5, 7)
    reduce, norm1, _, grouped, norm2, _, expand, norm3 = block.residual
    total = torch.zeros_like(maps)
    for path in range(4):
        rows = slice(2 * path, 2 * path + 2)
        inner = torch.relu(norm1(reduce(maps)))[:, rows]
        inner = torch.conv2d(inner, grouped.weight[rows], padding=1)
        scale = norm2.weight / (norm2.running_var + norm2.eps).sqrt()
        shift = norm2.bias - norm2.running_mean * scale
        inner = torch.relu(inner * scale[rows, None, None] + shift[rows, None, None])
        total += torch.conv2d(inner, expand.weight[:, rows])
    torch.testing.assert_close(block(maps), torch.relu(norm3(total) + maps), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("downsample", ["convolution", "pool"])
@pytest.mark.parametrize("stem", ["small", "imagenet"])
@pytest.mark.parametrize("size", [(64, 64), (65, 97), (90, 71)])
def test_any_image_size(size: tuple[int, int], stem: str, downsample: str) -> None:
    network = ResNeXt(**{**SMALL, "depths": [1, 1, 1, 1], "stem": stem, "downsample": downsample}).eval()
    result = network(torch.randn(2, 3, *size))
    assert result.shape == (2, network.features) == (2, 8 * 2 * 8)
    assert result.isfinite().all()


def test_pooled_block_averages_only_pixels_at_an_odd_border() -> None:
    block = Bottleneck(2, 2, 2, groups=1, stride=2, pool=True).eval()
    maps = torch.rand(1, 2, 5, 5)
    pooled = block.pool(maps)
    assert pooled.shape == (1, 2, 3, 3)
    torch.testing.assert_close(pooled[..., 2, 2], maps[..., 4, 4])
    torch.testing.assert_close(pooled[..., 0, 2], maps[..., :2, 4].mean(-1))


@pytest.mark.parametrize("downsample", ["convolution", "pool"])
def test_every_parameter_has_a_gradient(downsample: str) -> None:
    torch.manual_seed(0)
    network = ResNeXt(**SMALL, downsample=downsample)
    wake(network)
    network(torch.randn(4, 3, 64, 64)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


def test_row_is_independent_of_its_batch_in_eval() -> None:
    torch.manual_seed(0)
    network = ResNeXt(**SMALL).eval()
    wake(network)
    images = torch.randn(5, 3, 64, 64)
    with torch.no_grad():
        together, alone = network(images), torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_autocast_and_channels_last() -> None:
    torch.manual_seed(0)
    network = ResNeXt(**SMALL).eval()
    wake(network)
    images = torch.randn(4, 3, 64, 64)
    with torch.no_grad():
        expected: Tensor = network(images)
        network.to(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            result = network(images.to(memory_format=torch.channels_last))
    assert result.dtype == torch.float32
    assert (result - expected).norm() < 0.03 * expected.norm()


def test_names_are_stable() -> None:
    """Checkpoints name their numbers; a change here makes old ones unreadable."""
    names = [name for name in ResNeXt(**SMALL).state_dict() if name.endswith("weight")]
    assert names == [
        "stem.0.weight",
        "stem.1.weight",
        *(f"stages.0.0.residual.{number}.weight" for number in (0, 1, 3, 4, 6, 7)),
        *(f"stages.0.0.shortcut.{number}.weight" for number in (0, 1)),
        *(f"stages.1.0.residual.{number}.weight" for number in (0, 1, 3, 4, 6, 7)),
        *(f"stages.1.0.shortcut.{number}.weight" for number in (0, 1)),
        *(f"stages.1.1.residual.{number}.weight" for number in (0, 1, 3, 4, 6, 7)),
    ]


def test_downsample_does_not_change_the_parameters() -> None:
    first, second = (ResNeXt(**SMALL, downsample=way).state_dict() for way in ("convolution", "pool"))
    assert {name: value.shape for name, value in first.items()} == {
        name: value.shape for name, value in second.items()
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("depths", []),
        ("depths", 3),
        ("depths", "33"),
        ("depths", [2, 0]),
        ("depths", [2, 1.5]),
        ("cardinality", 0),
        ("group_width", 2.5),
        ("width", True),
        ("expansion", -1),
        ("stem", "large"),
        ("downsample", "max"),
        ("batch_norm", True),
        ("skip", "no"),
        ("init", "xavier"),
    ],
)
def test_bad_argument_is_named(name: str, value: object) -> None:
    with pytest.raises(UserError, match=rf"^model\.arguments\.{name}(\[\d\])?=.*expected") as caught:
        ResNeXt(**{**SMALL, name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("batch_norm", "stem", "blocks"), [("all", 1, 11), ("stem", 1, 0), ("none", 0, 0)])
def test_where_batchnorm_stands(batch_norm: str, stem: int, blocks: int) -> None:
    network = ResNeXt(**SMALL, batch_norm=batch_norm)
    for part, count in ((network.stem, stem), (network.stages, blocks)):
        assert sum(isinstance(layer, nn.BatchNorm2d) for layer in part.modules()) == count
    biased = [layer.bias is not None for layer in network.stages.modules() if isinstance(layer, nn.Conv2d)]
    assert biased == [not blocks] * 11
    assert network(torch.randn(2, 3, 64, 64)).isfinite().all()


@pytest.mark.parametrize("batch_norm", [True, False])
def test_a_skip_adds_the_input(batch_norm: bool) -> None:
    torch.manual_seed(0)
    with_skip = Bottleneck(6, 8, 6, 4, 1, pool=False, batch_norm=batch_norm).eval()
    without = Bottleneck(6, 8, 6, 4, 1, pool=False, batch_norm=batch_norm, skip=False).eval()
    without.load_state_dict(with_skip.state_dict())  # the identity has no weights
    maps = torch.randn(2, 6, 5, 7)
    torch.testing.assert_close(without(maps), torch.relu(with_skip.residual(maps)))
    torch.testing.assert_close(with_skip(maps), torch.relu(with_skip.residual(maps) + maps))


def test_without_skips_nothing_goes_past_a_block() -> None:
    network = ResNeXt(**SMALL, skip=False)
    assert not [name for name in network.state_dict() if "shortcut" in name]
    for block in network.stages.modules():
        if isinstance(block, Bottleneck):  # whose last scale is 0: what it puts out is not of its input
            nn.init.zeros_(block.residual[-1].weight)
            maps = torch.randn(2, block.residual[0].in_channels, 4, 4)
            assert block(maps).max() == 0
