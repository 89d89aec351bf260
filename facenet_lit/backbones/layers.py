"""The layers that the backbones share: convolution with BatchNorm, the stem, the pooling at the end."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facenet_lit.errors import UserError, check_choice, check_integer
from facenet_lit.precision import in_full

STEMS = ("imagenet", "small")
INITS = ("he", "torch")


def convolution(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, batch_norm: bool = True
) -> list[nn.Module]:
    """A convolution without bias and its BatchNorm; without BatchNorm one with a bias, which starts at 0.

    The padding is kernel // 2 (odd kernels), so the output of any input of H x W is ceil(H / stride) x
    ceil(W / stride): branches of different kernels always fit together. The weights are drawn as He et al.
    2015 say for layers before a ReLU: normal, variance 2 / fan out.
    """
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=not batch_norm)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    if layer.bias is None:
        return [layer, nn.BatchNorm2d(outputs)]
    nn.init.zeros_(layer.bias)
    return [layer]


def draw_weights(network: nn.Module, init: str) -> None:
    """Draws a network's convolutions anew where they are not to begin as ``convolution`` has them.

    Args:
        network: made of ``convolution``.
        init: ``he`` leaves them; ``torch`` is what ``torch.nn.Conv2d`` begins with where nobody cares: weights even
            within 1 / sqrt(fan in), biases too. Their variance is 1 / (3 fan in), a sixth of what a ReLU needs (He et
            al. 2015, section 2.2): without BatchNorm signals fade from layer to layer, until what is left of a
            picture is less than the biases, and the embeddings of all pictures are nearly one point.

    Raises:
        UserError: ``init`` is neither.
    """
    if check_choice("model.arguments.init", init, INITS) == "torch":
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):
                layer.reset_parameters()


def build_stem(stem: str, width: int, batch_norm: bool = True) -> nn.Sequential:
    """The first layers, (N, 3, H, W) to (N, width, H', W').

    Args:
        stem: ``imagenet`` is 7x7 of stride 2 and a 3x3 max-pool of stride 2 (a quarter of the size, meant
            for 224 px); ``small`` is 3x3 of stride 2 alone (half of the size, meant for 64 to 112 px).
        width: channels.
        batch_norm: whether BatchNorm follows the convolution.

    Raises:
        UserError: ``stem`` is neither.
    """
    if check_choice("model.arguments.stem", stem, STEMS) == "small":
        return nn.Sequential(
            *convolution(3, width, 3, stride=2, batch_norm=batch_norm), nn.ReLU(inplace=True)
        )
    pool = nn.MaxPool2d(3, stride=2, padding=1)
    return nn.Sequential(
        *convolution(3, width, 7, stride=2, batch_norm=batch_norm), nn.ReLU(inplace=True), pool
    )


def batch_norms(where: str) -> tuple[bool, bool]:
    """Whether BatchNorm stands in the stem, and in the blocks.

    Args:
        where: ``all``, ``stem`` (without the blocks) or ``none``.

    Raises:
        UserError: it is none of them.
    """
    check_choice("model.arguments.batch_norm", where, ("all", "stem", "none"))
    return where != "none", where == "all"


def shortcut(inputs: int, outputs: int, stride: int = 1, batch_norm: bool = True) -> nn.Module:
    """What carries a block's input past it: the identity where the shape stays, else a 1x1 convolution.

    So do He et al. 2016, section 3.3, option B.
    """
    if inputs == outputs and stride == 1:
        return nn.Identity()
    return nn.Sequential(*convolution(inputs, outputs, 1, stride, batch_norm=batch_norm))


def full_precision(device_type: str) -> AbstractContextManager[Any]:
    """A context without autocast, on the meta device too, which has none."""
    return nullcontext() if device_type == "meta" else torch.autocast(device_type, enabled=False)


class GridAverage(nn.Module):
    """Means over the cells of a grid: with one cell the global average that networks usually end with.

    Aligned faces have their eyes, noses and mouths at the same places. A global average forgets where
    something was seen; a few cells keep it, for a linear head that weighs every place by itself, as that of
    Deng et al. 2019, ArcFace, section 3.1 (BatchNorm, dropout, fully connected, BatchNorm) does.

    Where the grid does not divide the side, neighbouring cells share places; so they do on the smaller images that
    training may begin with, whose maps may be coarser than the grid.

    Args:
        grid: cells along each side.

    Raises:
        UserError: it is not 1 or more, or, in ``forward`` outside training, finer than the maps.
    """

    def __init__(self, grid: int) -> None:
        super().__init__()
        self.grid = check_integer("model.arguments.grid", grid, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C * grid * grid), always float32: autocast would round it to 8 bits."""
        height, width = maps.shape[2:]
        if self.grid > min(height, width) and not self.training:
            raise UserError(
                f"model.arguments.grid={self.grid}: the last maps of this network are {height}x{width} at this "
                f"data.size; expected an integer from 1 to {min(height, width)}"
            )
        return F.adaptive_avg_pool2d(in_full(maps), self.grid).flatten(1)
