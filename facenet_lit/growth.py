"""The side of training images by the spent share of the budget: small first, cheap, then whole."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from facenet_lit.errors import UserError, check_integer, check_number

# Between two sides: networks halve the side three to five times.
STEP = 16


class Growth:
    """Progressive resizing: training begins on small images, and each step costs what its images do.

    A step on half the side takes a quarter of the time, and what is learnt there is not lost on larger ones (Tan
    & Le 2021, EfficientNetV2, section 4, where it trains ImageNet several times as fast). Sides are ``start``,
    ``start`` + 16 and so on; they share ``until`` of the budget equally, and the rest of it is at the whole side.

    Args:
        size: side of the whole images, pixels.
        start: side at the start, from 32 to ``size``; None for the whole side throughout.
        until: share of the budget from which images are whole.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(self, size: int, start: int | None = None, until: float = 0.75) -> None:
        self.size = size
        self.until = check_number("trainer.grow_until", until, 0, 1)
        self.start = size if start is None else check_integer("trainer.grow_from", start, 32)
        if self.start > size:
            raise UserError(f"trainer.grow_from={start}: expected at most data.size={size}")

    def __call__(self, share: float) -> int:
        """The side at a share in [0, 1]."""
        stages = math.ceil((self.size - self.start) / STEP)
        if share >= self.until or not stages:
            return self.size
        return self.start + STEP * int(stages * share / self.until)


def shrunk(images: Tensor, size: int) -> Tensor:
    """Images at another side, averaged over the places that a pixel covers; at their own side they are as they were.

    Args:
        images: (N, 3, H, W) uint8, or float.
        size: side of the result, pixels.

    Returns:
        (N, 3, size, size), of the same kind of numbers.
    """
    if images.shape[2:] == torch.Size((size, size)):
        return images
    if (
        images.dtype == torch.uint8 and images.device.type != "cpu"
    ):  # torch does whole numbers on the CPU alone
        return _interpolated(images.float(), size).round_().to(torch.uint8)
    return _interpolated(images, size)


def _interpolated(images: Tensor, size: int) -> Tensor:
    return F.interpolate(images, (size, size), mode="bilinear", antialias=True)
