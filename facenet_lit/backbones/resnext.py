"""ResNeXt: grouped bottlenecks with skips (Xie et al. 2017, Aggregated Residual Transformations)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from facenet_lit.backbones.layers import (
    GridAverage,
    batch_norms,
    build_stem,
    convolution,
    draw_weights,
    shortcut,
)
from facenet_lit.errors import UserError, check_choice, check_flag, check_integer


class Bottleneck(nn.Module):
    """1x1 reduction, grouped 3x3, 1x1 expansion, added to the shortcut (section 3, figure 3c).

    The stride is that of the grouped convolution. The shortcut is the identity where the shape stays, else a
    1x1 convolution with BatchNorm. The last BatchNorm starts with scale 1: starting it at 0 (Goyal et
    al. 2017, section 5.1) slowed the first hundreds of steps, which are a good part of a short training.

    Args:
        inputs: channels of the input.
        inner: channels of the grouped convolution.
        outputs: channels of the output.
        groups: the paper's cardinality.
        stride: of the block, 1 or 2.
        pool: halve the input by a 2x2 average instead of by strided convolutions.
        batch_norm: whether BatchNorm follows each convolution.
        skip: whether there is a shortcut.
    """

    def __init__(
        self,
        inputs: int,
        inner: int,
        outputs: int,
        groups: int,
        stride: int,
        pool: bool,
        batch_norm: bool = True,
        skip: bool = True,
    ) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(2, ceil_mode=True) if pool and stride == 2 else nn.Identity()
        stride = 1 if pool else stride
        layer = partial(convolution, batch_norm=batch_norm)
        self.residual = nn.Sequential(
            *layer(inputs, inner, 1),
            nn.ReLU(inplace=True),
            *layer(inner, inner, 3, stride, groups),
            nn.ReLU(inplace=True),
            *layer(inner, outputs, 1),
        )
        self.shortcut = shortcut(inputs, outputs, stride, batch_norm) if skip else None

    def forward(self, maps: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, ceil(H / stride), ceil(W / stride))."""
        maps = self.pool(maps)
        if self.shortcut is None:
            return torch.relu_(self.residual(maps))
        return torch.relu_(self.residual(maps) + self.shortcut(maps))


class ResNeXt(nn.Module):
    """ResNeXt (Xie et al. 2017, table 1) up to its average. The defaults are ResNeXt-50 (32x4d).

    Every stage but the first halves the size and doubles the channels. Stage i (from 0) has ``cardinality``
    groups of ``group_width`` * 2^i channels and puts out ``width`` * ``expansion`` * 2^i channels.

    Args:
        depths: blocks of each stage.
        cardinality: groups of each 3x3 convolution.
        group_width: channels of a group in the first stage.
        width: channels of the stem.
        expansion: output channels of the first stage, as a multiple of ``width``.
        stem: ``imagenet`` or ``small`` (see ``build_stem``).
        downsample: how a stage halves the size: ``convolution`` as in the paper, in its first grouped
            convolution and shortcut, or ``pool``, a 2x2 average before its first block. The parameters are the
            same, but the block's 1x1 reduction then runs on a quarter of the places, which on a CPU saves
            a seventh to a third of a small network's time.
        grid: cells along each side of the final average (see ``GridAverage``); 1 is the paper's.
        batch_norm: where BatchNorm stands: ``all``, ``stem`` or ``none``.
        skip: whether blocks have their shortcuts.
        init: how the convolutions' weights are drawn, ``he`` or ``torch`` (see ``draw_weights``).

    Attributes:
        features: channels of the output.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self,
        depths: Sequence[int] = (3, 4, 6, 3),
        cardinality: int = 32,
        group_width: int = 4,
        width: int = 64,
        expansion: int = 4,
        stem: str = "imagenet",
        downsample: str = "convolution",
        grid: int = 1,
        batch_norm: str = "all",
        skip: bool = True,
        init: str = "he",
    ) -> None:
        super().__init__()
        depths = _check_depths(depths)
        inner = check_integer("model.arguments.cardinality", cardinality, 1) * check_integer(
            "model.arguments.group_width", group_width, 1
        )
        outputs = check_integer("model.arguments.width", width, 1) * check_integer(
            "model.arguments.expansion", expansion, 1
        )
        pool = check_choice("model.arguments.downsample", downsample, ("convolution", "pool")) == "pool"
        in_stem, in_blocks = batch_norms(batch_norm)
        check_flag("model.arguments.skip", skip)
        self.stem = build_stem(stem, width, in_stem)
        self.stages = nn.Sequential()
        inputs = width
        for number, depth in enumerate(depths):
            blocks = nn.Sequential()
            for place in range(depth):
                stride = 2 if number > 0 and place == 0 else 1
                sizes = (inputs, inner << number, outputs << number, cardinality)
                blocks.append(Bottleneck(*sizes, stride, pool, in_blocks, skip))
                inputs = outputs << number
            self.stages.append(blocks)
        self.average = GridAverage(grid)
        self.features = inputs * grid * grid
        draw_weights(self, init)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) normalised images to (N, features) float32."""
        features: Tensor = self.average(self.stages(self.stem(images)))
        return features


def _check_depths(depths: object) -> list[int]:
    if not isinstance(depths, Sequence) or isinstance(depths, str) or not depths:
        raise UserError(
            f"model.arguments.depths={depths!r}: expected a list of integers of 1 or more, such as [2,2,2]"
        )
    return [
        check_integer(f"model.arguments.depths[{number}]", depth, 1) for number, depth in enumerate(depths)
    ]
