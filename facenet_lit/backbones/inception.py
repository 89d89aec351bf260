"""Inception: the NN2 network of FaceNet (Schroff et al. 2015, table 2), with BatchNorm."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facenet_lit.backbones.layers import (
    GridAverage,
    batch_norms,
    build_stem,
    convolution,
    draw_weights,
    shortcut,
)
from facenet_lit.distances import safe_sqrt
from facenet_lit.errors import UserError, check_flag, check_integer, check_number


class Branches(NamedTuple):
    """A row of table 2: channels of a block's convolutions, 0 for none, and its pooling.

    The last two: whether the pooling is by L2 norm (else maximum), and the stride of 3x3, 5x5 and pooling.
    """

    one: int
    three_reduce: int
    three: int
    five_reduce: int
    five: int
    projection: int
    l2: bool = False
    stride: int = 1


NN2 = {
    "3a": Branches(64, 96, 128, 16, 32, 32),
    "3b": Branches(64, 96, 128, 32, 64, 64, l2=True),
    "3c": Branches(0, 128, 256, 32, 64, 0, stride=2),
    "4a": Branches(256, 96, 192, 32, 64, 128, l2=True),
    "4b": Branches(224, 112, 224, 32, 64, 128, l2=True),
    "4c": Branches(192, 128, 256, 32, 64, 128, l2=True),
    "4d": Branches(160, 144, 288, 32, 64, 128, l2=True),
    "4e": Branches(0, 160, 256, 64, 128, 0, stride=2),
    "5a": Branches(384, 192, 384, 48, 128, 128, l2=True),
    "5b": Branches(384, 192, 384, 48, 128, 128),
}


def l2_pool(maps: Tensor, stride: int = 1) -> Tensor:
    """L2 norm of every 3x3 window (zeros beyond the border), with gradient 0 where a window is all zero.

    (N, C, H, W) to (N, C, ceil(H / stride), ceil(W / stride)).
    """
    return safe_sqrt(F.avg_pool2d(maps.square(), 3, stride, padding=1, divisor_override=1))


class Pool(nn.Module):
    """3x3 pooling, by L2 norm or by maximum."""

    def __init__(self, l2: bool, stride: int) -> None:
        super().__init__()
        self.l2 = l2
        self.stride = stride

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, ceil(H / stride), ceil(W / stride))."""
        return l2_pool(maps, self.stride) if self.l2 else F.max_pool2d(maps, 3, self.stride, padding=1)


def _convolutions(*layers: tuple[int, int, int, int], batch_norm: bool) -> nn.Sequential:
    """Convolutions of (inputs, outputs, kernel, stride), each with BatchNorm, or without, and ReLU."""
    parts = [(*convolution(*layer, batch_norm=batch_norm), nn.ReLU(inplace=True)) for layer in layers]
    return nn.Sequential(*(module for layer in parts for module in layer))


class InceptionBlock(nn.Module):
    """Branches side by side, their outputs joined over the channels: 1x1; 3x3; 5x5; pooling.

    Args:
        inputs: channels of the input.
        sizes: channels of the branches. Without a projection the pooled input goes through as it is.
        large_kernel: kernel of the branch that is 5x5 in the paper.
        batch_norm: whether BatchNorm follows each convolution.
        skip: add the block's input to its output (see ``shortcut``), and then ReLU.

    Attributes:
        features: channels of the output.
    """

    def __init__(
        self, inputs: int, sizes: Branches, large_kernel: int = 5, batch_norm: bool = True, skip: bool = False
    ) -> None:
        super().__init__()
        stride = sizes.stride
        layers = partial(_convolutions, batch_norm=batch_norm)
        pool = Pool(sizes.l2, stride)
        project = layers((inputs, sizes.projection, 1, 1)) if sizes.projection else nn.Identity()
        branches = {
            "one": layers((inputs, sizes.one, 1, 1)) if sizes.one else None,
            "three": layers((inputs, sizes.three_reduce, 1, 1), (sizes.three_reduce, sizes.three, 3, stride)),
            "five": layers(
                (inputs, sizes.five_reduce, 1, 1), (sizes.five_reduce, sizes.five, large_kernel, stride)
            ),
            "pool": nn.Sequential(pool, project),
        }
        self.branches = nn.ModuleDict(
            {name: branch for name, branch in branches.items() if branch is not None}
        )
        self.features = sizes.one + sizes.three + sizes.five + (sizes.projection or inputs)
        self.shortcut = shortcut(inputs, self.features, stride, batch_norm) if skip else None

    def forward(self, maps: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, features, ceil(H / stride), ceil(W / stride))."""
        joined = torch.cat([branch(maps) for branch in self.branches.values()], 1)
        return joined if self.shortcut is None else torch.relu_(joined + self.shortcut(maps))


class Inception(nn.Module):
    """NN2 (Schroff et al. 2015, table 2) up to its average pool; the defaults are the paper's sizes.

    BatchNorm after every convolution stands in for the two local response normalisations, which are left out.
    Without it in the blocks this is the network that triplet losses so often leave standing at the margin.

    Args:
        width: factor on the channels of every convolution, each rounded to a multiple of 8.
        stem: ``imagenet``, the paper's, reaches block 3a at an eighth of the size; ``small`` at a quarter: its
            first convolution is 3x3, and a single max-pool comes before inception 2 instead of one on each side.
        large_kernel: kernel of the branches that are 5x5 in the paper.
        l2_pooling: pool by L2 norm where the paper does; else by maximum everywhere.
        grid: cells along each side of the final average (see ``GridAverage``); 1 is the paper's.
        batch_norm: where BatchNorm stands: ``all``, ``stem`` (all that comes before block 3a), ``none``.
        skip: whether blocks have shortcuts, which the paper's have not.
        init: how the convolutions' weights are drawn, ``he`` or ``torch`` (see ``draw_weights``).

    Attributes:
        features: channels of the output.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self,
        width: float = 1.0,
        stem: str = "imagenet",
        large_kernel: int = 5,
        l2_pooling: bool = True,
        grid: int = 1,
        batch_norm: str = "all",
        skip: bool = False,
        init: str = "he",
    ) -> None:
        super().__init__()
        check_number("model.arguments.width", width, above=True)
        check_flag("model.arguments.l2_pooling", l2_pooling)
        if check_integer("model.arguments.large_kernel", large_kernel, 3) % 2 == 0:
            raise UserError(
                f"model.arguments.large_kernel={large_kernel}: expected an odd integer, such as 5 or 3"
            )
        in_stem, in_blocks = batch_norms(batch_norm)
        check_flag("model.arguments.skip", skip)
        first, second = scale_channels(64, width), scale_channels(192, width)
        self.stem = build_stem(stem, first, in_stem)
        self.pool_first = stem == "small"
        self.pool = Pool(l2=False, stride=2)
        self.second = _convolutions((first, first, 1, 1), (first, second, 3, 1), batch_norm=in_stem)
        self.blocks = nn.ModuleDict()
        inputs = second
        for name, sizes in NN2.items():
            block = InceptionBlock(inputs, _scaled(sizes, width, l2_pooling), large_kernel, in_blocks, skip)
            self.blocks[name] = block
            inputs = block.features
        self.average = GridAverage(grid)
        self.features = inputs * grid * grid
        draw_weights(self, init)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) normalised images to (N, features) float32."""
        maps = self.stem(images)
        maps = self.second(self.pool(maps)) if self.pool_first else self.pool(self.second(maps))
        for block in self.blocks.values():
            maps = block(maps)
        features: Tensor = self.average(maps)
        return features


def scale_channels(channels: int, width: float) -> int:
    """``channels`` * ``width``, rounded to a multiple of 8 of at least 8; 0 stays 0."""
    return max(8, 8 * int(channels * width / 8 + 0.5)) if channels else 0


def _scaled(sizes: Branches, width: float, l2_pooling: bool) -> Branches:
    channels = [scale_channels(count, width) for count in sizes[:6]]
    one, three_reduce, three, five_reduce, five, projection = channels
    return Branches(
        one, three_reduce, three, five_reduce, five, projection, sizes.l2 and l2_pooling, sizes.stride
    )
