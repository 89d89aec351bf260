"""Inception against torchvision's block, the paper's table, and its pooling."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torchvision.models.googlenet import Inception as GoogLeNetBlock

from facenet_lit.backbones.inception import NN2, Branches, Inception, InceptionBlock, l2_pool, scale_channels
from facenet_lit.errors import UserError

# FaceNet, table 2: output size and channels at 224 px, and parameters in thousands.
TABLE = {
    "3a": (28, 256, 164),
    "3b": (28, 320, 228),
    "3c": (14, 640, 398),
    "4a": (14, 640, 545),
    "4b": (14, 640, 595),
    "4c": (14, 640, 654),
    "4d": (14, 640, 722),
    "4e": (7, 1024, 717),
    "5a": (7, 1024, 1600),
    "5b": (7, 1024, 1600),
}


def wake(network: nn.Module) -> None:
    """Draws every BatchNorm's numbers."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias)
            nn.init.normal_(layer.running_mean)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)


@pytest.mark.parametrize("training", [False, True])
def test_block_equals_torchvision(training: bool) -> None:
    """googlenet's block has maximum pooling, and a 3x3 where the paper has 5x5."""
    torch.manual_seed(0)
    reference = GoogLeNetBlock(24, 16, 8, 24, 8, 16, 8)
    wake(reference)
    for layer in reference.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eps = 1e-5
    block = InceptionBlock(24, Branches(16, 8, 24, 8, 16, 8), large_kernel=3)
    block.load_state_dict(dict(zip(block.state_dict(), reference.state_dict().values(), strict=True)))
    maps = torch.randn(3, 24, 9, 14)
    with torch.no_grad():
        expected, result = reference.train(training)(maps), block.train(training)(maps)
    assert result.shape == (3, block.features, 9, 14)
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-5)


def test_output_sizes_of_the_papers_table() -> None:
    seen: dict[str, tuple[int, int]] = {}
    with torch.device("meta"):
        network = Inception()
        for name, block in network.blocks.items():
            block.register_forward_hook(
                lambda _, __, maps, name=name: seen.update({name: (maps.shape[2], maps.shape[1])})
            )
        stem = network.stem(torch.empty(1, 3, 224, 224))
        result = network(torch.empty(1, 3, 224, 224))
    assert stem.shape == (1, 64, 56, 56)
    assert seen == {name: row[:2] for name, row in TABLE.items()}
    assert result.shape == (1, network.features) == (1, 1024)


def test_parameter_count_of_the_papers_table() -> None:
    """Convolution weights, summed by hand from the rows of table 2: inputs * outputs * kernel."""
    by_hand = {
        "3a": 192 * (64 + 96 + 16 + 32) + 96 * 128 * 9 + 16 * 32 * 25,
        "3b": 256 * (64 + 96 + 32 + 64) + 96 * 128 * 9 + 32 * 64 * 25,
        "3c": 320 * (128 + 32) + 128 * 256 * 9 + 32 * 64 * 25,
        "4a": 640 * (256 + 96 + 32 + 128) + 96 * 192 * 9 + 32 * 64 * 25,
        "4b": 640 * (224 + 112 + 32 + 128) + 112 * 224 * 9 + 32 * 64 * 25,
        "4c": 640 * (192 + 128 + 32 + 128) + 128 * 256 * 9 + 32 * 64 * 25,
        "4d": 640 * (160 + 144 + 32 + 128) + 144 * 288 * 9 + 32 * 64 * 25,
        "4e": 640 * (160 + 64) + 160 * 256 * 9 + 64 * 128 * 25,
        "5a": 1024 * (384 + 192 + 48 + 128) + 192 * 384 * 9 + 48 * 128 * 25,
        "5b": 1024 * (384 + 192 + 48 + 128) + 192 * 384 * 9 + 48 * 128 * 25,
    }
    with torch.device("meta"):
        network = Inception()

    def weights(part: nn.Module) -> int:
        return sum(layer.weight.numel() for layer in part.modules() if isinstance(layer, nn.Conv2d))

    assert {name: weights(block) for name, block in network.blocks.items()} == by_hand
    for name, (_, _, thousands) in TABLE.items():
        assert by_hand[name] == pytest.approx(1000 * thousands, rel=0.01), name
    total = 3 * 64 * 49 + 64 * 64 + 64 * 192 * 9 + sum(by_hand.values())
    assert weights(network) == total
    assert total + 1024 * 128 == pytest.approx(7.5e6, rel=0.01)  # the paper's sum counts its linear layer


@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    stride=st.sampled_from([1, 2]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=25, deadline=None)
def test_l2_pool_is_the_norm_of_its_window(height: int, width: int, stride: int, seed: int) -> None:
    maps = torch.randn(
        2, 3, height, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    windows = F.pad(maps, (1, 1, 1, 1)).unfold(2, 3, stride).unfold(3, 3, stride)
    torch.testing.assert_close(l2_pool(maps, stride), windows.flatten(4).norm(dim=4))


def test_l2_pool_gradient_is_finite_at_zero() -> None:
    maps = torch.zeros(1, 1, 7, 7)
    maps[0, 0, 0, 0] = 3.0
    maps.requires_grad_()
    l2_pool(maps).sum().backward()
    assert maps.grad is not None
    assert maps.grad.isfinite().all()
    assert maps.grad[0, 0, 0, 0] == 4.0  # four windows hold it, each with slope x / norm = 1
    assert maps.grad[0, 0, 4:, 4:].abs().max() == 0


@pytest.mark.parametrize("stem", ["small", "imagenet"])
@pytest.mark.parametrize("size", [(64, 64), (65, 97), (90, 71)])
def test_any_image_size(size: tuple[int, int], stem: str) -> None:
    network = Inception(width=0.125, stem=stem).eval()
    with torch.no_grad():
        result = network(torch.randn(2, 3, *size))
    assert result.shape == (2, network.features)
    assert result.isfinite().all()


def test_every_parameter_has_a_gradient() -> None:
    torch.manual_seed(0)
    network = Inception(width=0.125, stem="small")
    network(torch.randn(4, 3, 64, 64)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


def test_row_is_independent_of_its_batch_in_eval() -> None:
    torch.manual_seed(0)
    network = Inception(width=0.125, stem="small").eval()
    images = torch.randn(4, 3, 64, 64)
    with torch.no_grad():
        together, alone = network(images), torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4 * float(alone.abs().max()))


def test_l2_pooling_can_be_turned_off() -> None:
    torch.manual_seed(0)
    norm = Inception(width=0.125, stem="small").eval()
    maximum = Inception(width=0.125, stem="small", l2_pooling=False).eval()
    maximum.load_state_dict(norm.state_dict())
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert not torch.allclose(norm(images), maximum(images))
    assert not any(block.branches["pool"][0].l2 for block in maximum.blocks.values())


@given(channels=st.integers(1, 1024), width=st.floats(0.01, 4))
def test_scaled_channels_are_near_and_divide_by_eight(channels: int, width: float) -> None:
    result = scale_channels(channels, width)
    assert result >= 8
    assert result % 8 == 0
    assert result == 8 or abs(result - channels * width) <= 4 + 1e-9


def test_papers_channels_are_left_as_they_are() -> None:
    for sizes in NN2.values():
        assert [scale_channels(count, 1.0) for count in sizes[:6]] == list(sizes[:6])


def test_names_are_stable() -> None:
    """Checkpoints name their numbers; a change here makes old ones unreadable."""
    names = [name for name in Inception(width=0.125).state_dict() if name.endswith("0.weight")]
    assert names[:9] == [
        "stem.0.weight",
        "second.0.weight",
        "blocks.3a.branches.one.0.weight",
        "blocks.3a.branches.three.0.weight",
        "blocks.3a.branches.five.0.weight",
        "blocks.3a.branches.pool.1.0.weight",
        "blocks.3b.branches.one.0.weight",
        "blocks.3b.branches.three.0.weight",
        "blocks.3b.branches.five.0.weight",
    ]
    assert "blocks.3c.branches.one.0.weight" not in names
    assert names[-1] == "blocks.5b.branches.pool.1.0.weight"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", 0.0),
        ("width", "wide"),
        ("width", float("nan")),
        ("stem", "large"),
        ("large_kernel", 4),
        ("large_kernel", 1),
        ("l2_pooling", "yes"),
        ("batch_norm", False),
        ("skip", 1),
        ("init", True),
    ],
)
def test_bad_argument_is_named(name: str, value: object) -> None:
    with pytest.raises(UserError, match=rf"^model\.arguments\.{name}=.*expected") as caught:
        Inception(**{"width": 0.125, name: value})
    assert "\n" not in str(caught.value)


def test_a_block_without_batchnorm_is_one_whose_batchnorms_do_nothing() -> None:
    torch.manual_seed(0)
    sizes = Branches(16, 8, 24, 8, 16, 8, l2=True)
    plain, normed = InceptionBlock(24, sizes, batch_norm=False), InceptionBlock(24, sizes).eval()
    layers = [layer for layer in plain.modules() if isinstance(layer, nn.Conv2d)]
    norms = [layer for layer in normed.modules() if isinstance(layer, nn.BatchNorm2d)]
    convolutions = [layer for layer in normed.modules() if isinstance(layer, nn.Conv2d)]
    for layer, convolution, norm in zip(layers, convolutions, norms, strict=True):
        assert not layer.bias.any()
        nn.init.normal_(layer.bias)
        convolution.load_state_dict({"weight": layer.weight})
        nn.init.constant_(norm.weight, (1 + norm.eps) ** 0.5)
        norm.bias = layer.bias
    maps = torch.randn(2, 24, 7, 7)
    torch.testing.assert_close(plain(maps), normed(maps), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("stem", ["imagenet", "small"])
def test_where_batchnorm_stands(stem: str) -> None:
    def norms(batch_norm: str) -> tuple[int, int]:
        with torch.device("meta"):
            network = Inception(0.5, stem, batch_norm=batch_norm)
        counts = [
            sum(isinstance(layer, nn.BatchNorm2d) for layer in part.modules())
            for part in (nn.ModuleList([network.stem, network.second]), network.blocks)
        ]
        assert network(torch.empty(2, 3, 64, 64, device="meta")).shape == (2, network.features)
        return counts[0], counts[1]

    # Eight blocks of six convolutions, and two of four: without a 1x1 branch and a projection.
    assert norms("all") == (3, 56)
    assert norms("stem") == (3, 0)
    assert norms("none") == (0, 0)
    with pytest.raises(
        UserError, match=r"^model\.arguments\.batch_norm=blocks: expected one of all, stem, none"
    ):
        norms("blocks")


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_skip_is_added_to_what_the_branches_join(stride: int, batch_norm: bool) -> None:
    torch.manual_seed(0)
    sizes = Branches(16 if stride == 1 else 0, 8, 24, 8, 16, 8, stride=stride)
    block = InceptionBlock(24, sizes, batch_norm=batch_norm, skip=True).eval()
    plain = InceptionBlock(24, sizes, batch_norm=batch_norm).eval()
    plain.load_state_dict({n: value for n, value in block.state_dict().items() if "shortcut" not in n})
    maps = torch.randn(2, 24, 7, 7)
    projection, *norm = block.shortcut
    past = torch.conv2d(maps, projection.weight, projection.bias, stride=stride)
    assert len(norm) == batch_norm
    expected = torch.relu(plain(maps) + (norm[0](past) if norm else past))
    torch.testing.assert_close(block(maps), expected)


def test_an_inception_with_skips_learns_at_every_weight() -> None:
    torch.manual_seed(0)
    network = Inception(0.125, skip=True)
    assert [name for name in network.blocks if network.blocks[name].shortcut is None] == []
    network(torch.randn(2, 3, 64, 64)).square().sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())
