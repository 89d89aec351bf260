"""Inception-ResNet-v1 with the parameter names of facenet-pytorch, so that its published weights load."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from facenet_lit.backbones.layers import full_precision
from facenet_lit.errors import UserError, check_integer
from facenet_lit.precision import in_full

# Where this network's TensorFlow ancestor kept it; torch's default is 1e-5.
EPSILON = 1e-3

# The unpadded convolutions leave nothing of smaller pictures.
LEAST_SIZE = 75

Kernel = int | tuple[int, int]


class ConvolutionUnit(nn.Module):
    """Convolution without bias, BatchNorm, ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: Kernel, stride: int = 1, padded: bool = False
    ) -> None:
        super().__init__()
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (sides[0] // 2, sides[1] // 2) if padded else 0
        self.conv = nn.Conv2d(inputs, outputs, sides, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=EPSILON)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H', W')."""
        return torch.relu_(self.bn(self.conv(maps)))


def _chain(inputs: int, *layers: tuple[int, Kernel]) -> nn.Sequential:
    """Units of (outputs, kernel) one behind the other, padded so that the size stays."""
    units = []
    for outputs, kernel in layers:
        units.append(ConvolutionUnit(inputs, outputs, kernel, padded=True))
        inputs = outputs
    return nn.Sequential(*units)


class ResidualBlock(nn.Module):
    """Branches side by side, joined, mapped back to the input's channels and added to it, scaled down.

    Szegedy et al. 2017, Inception-v4, figures 10, 11 and 13; the scaling, section 3.3.

    Args:
        channels: of input and output.
        branches: for each branch its units, (outputs, kernel).
        scale: factor on what is added.
        last: no ReLU behind the sum.
    """

    def __init__(
        self,
        channels: int,
        branches: Sequence[Sequence[tuple[int, Kernel]]],
        scale: float,
        last: bool = False,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.last = last
        for number, layers in enumerate(branches):
            chain = _chain(channels, *layers)
            # A branch of one unit is that unit, so that names are those of the published weights.
            self.add_module(f"branch{number}", chain if len(layers) > 1 else chain[0])
        self.conv2d = nn.Conv2d(sum(layers[-1][0] for layers in branches), channels, 1)
        self.branches = len(branches)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, channels, H, W) to the same."""
        joined = [self.get_submodule(f"branch{number}")(maps) for number in range(self.branches)]
        total: Tensor = maps + self.scale * self.conv2d(torch.cat(joined, 1))
        return total if self.last else torch.relu_(total)


class Reduction(nn.Module):
    """Branches that halve the size without padding, the last of them a maximum.

    Szegedy et al. 2017, figures 7 (k, l, m, n = 192, 192, 256, 384) and 12.

    Args:
        inputs: channels of the input.
        branches: for each branch its units, (outputs, kernel); the last unit has stride 2.
    """

    def __init__(self, inputs: int, branches: Sequence[Sequence[tuple[int, Kernel]]]) -> None:
        super().__init__()
        for number, layers in enumerate(branches):
            *before, (outputs, kernel) = layers
            units = list(_chain(inputs, *before))
            entering = before[-1][0] if before else inputs
            units.append(ConvolutionUnit(entering, outputs, kernel, stride=2))
            self.add_module(f"branch{number}", nn.Sequential(*units) if before else units[0])
        self.add_module(f"branch{len(branches)}", nn.MaxPool2d(3, stride=2))
        self.branches = len(branches) + 1

    def forward(self, maps: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs of all branches and inputs, (H - 1) // 2, (W - 1) // 2)."""
        return torch.cat([self.get_submodule(f"branch{number}")(maps) for number in range(self.branches)], 1)


def _block35() -> ResidualBlock:
    return ResidualBlock(256, [[(32, 1)], [(32, 1), (32, 3)], [(32, 1), (32, 3), (32, 3)]], 0.17)


def _block17() -> ResidualBlock:
    return ResidualBlock(896, [[(128, 1)], [(128, 1), (128, (1, 7)), (128, (7, 1))]], 0.10)


def _block8(scale: float, last: bool = False) -> ResidualBlock:
    return ResidualBlock(1792, [[(192, 1)], [(192, 1), (192, (1, 3)), (192, (3, 1))]], scale, last)


class InceptionResNetV1(nn.Module):
    """Inception-ResNet-v1 (Szegedy et al. 2017, figures 10 to 14), as trained by Sandberg's FaceNet.

    Parameters have the names and shapes of facenet-pytorch 2.6.0, its linear layer and BatchNorm included:
    with ``model.head=none`` the embedder's output is that package's. Its published weights expect pictures of
    160 px with (x - 127.5) / 128, which ``data.normalize=half`` is but for half a hundredth.

    Args:
        features: channels of the output.

    Attributes:
        features: likewise.

    Raises:
        UserError: ``features`` is not 1 or more; in ``forward``, pictures are smaller than 75 px.
    """

    def __init__(self, features: int = 512) -> None:
        super().__init__()
        check_integer("model.arguments.features", features, 1)
        self.conv2d_1a = ConvolutionUnit(3, 32, 3, stride=2)
        self.conv2d_2a = ConvolutionUnit(32, 32, 3)
        self.conv2d_2b = ConvolutionUnit(32, 64, 3, padded=True)
        self.maxpool_3a = nn.MaxPool2d(3, stride=2)
        self.conv2d_3b = ConvolutionUnit(64, 80, 1)
        self.conv2d_4a = ConvolutionUnit(80, 192, 3)
        self.conv2d_4b = ConvolutionUnit(192, 256, 3, stride=2)
        self.repeat_1 = nn.Sequential(*(_block35() for _ in range(5)))
        self.mixed_6a = Reduction(256, [[(384, 3)], [(192, 1), (192, 3), (256, 3)]])
        self.repeat_2 = nn.Sequential(*(_block17() for _ in range(10)))
        self.mixed_7a = Reduction(
            896, [[(256, 1), (384, 3)], [(256, 1), (256, 3)], [(256, 1), (256, 3), (256, 3)]]
        )
        self.repeat_3 = nn.Sequential(*(_block8(0.20) for _ in range(5)))
        self.block8 = _block8(1.0, last=True)
        self.last_linear = nn.Linear(1792, features, bias=False)
        self.last_bn = nn.BatchNorm1d(features, eps=EPSILON)
        self.features = features

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) normalised images, H and W 75 or more, to (N, features) float32."""
        if min(images.shape[2:]) < LEAST_SIZE:
            raise UserError(
                f"data.size={min(images.shape[2:])}: inception_resnet_v1 expects {LEAST_SIZE} or more, such as 160"
            )
        maps = self.conv2d_2b(self.conv2d_2a(self.conv2d_1a(images)))
        maps = self.conv2d_4b(self.conv2d_4a(self.conv2d_3b(self.maxpool_3a(maps))))
        maps = self.repeat_2(self.mixed_6a(self.repeat_1(maps)))
        maps = self.block8(self.repeat_3(self.mixed_7a(maps)))
        # Of the average on in float32: autocast would round it to 8 bits.
        with full_precision(maps.device.type):
            features: Tensor = self.last_bn(self.last_linear(in_full(maps).mean((2, 3))))
        return features
