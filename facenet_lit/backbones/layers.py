"""The layers that the backbones share: convolution with BatchNorm, the stem, the global average."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facenet_lit.errors import check_choice

STEMS = ("imagenet", "small")


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """A convolution without bias and its BatchNorm.

    The padding is kernel // 2 (odd kernels), so the output of any input of H x W is ceil(H / stride) x
    ceil(W / stride): branches of different kernels always fit together. The weights are drawn as He et al.
    2015 say for layers before a ReLU: normal, variance 2 / fan out.
    """
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return [layer, nn.BatchNorm2d(outputs)]


def build_stem(stem: str, width: int) -> nn.Sequential:
    """The first layers, (N, 3, H, W) to (N, width, H', W').

    Args:
        stem: ``imagenet`` is 7x7 of stride 2 and a 3x3 max-pool of stride 2 (a quarter of the size, meant
            for 224 px); ``small`` is 3x3 of stride 2 alone (half of the size, meant for 64 to 112 px).
        width: channels.

    Raises:
        UserError: ``stem`` is neither.
    """
    if check_choice("model.arguments.stem", stem, STEMS) == "small":
        return nn.Sequential(*convolution(3, width, 3, stride=2), nn.ReLU(inplace=True))
    pool = nn.MaxPool2d(3, stride=2, padding=1)
    return nn.Sequential(*convolution(3, width, 7, stride=2), nn.ReLU(inplace=True), pool)


def global_average(maps: Tensor) -> Tensor:
    """Mean over all places, (N, C, H, W) to (N, C), always float32: autocast would round it to 8 bits."""
    return maps.mean((2, 3), dtype=torch.float32)
