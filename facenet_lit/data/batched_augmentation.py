"""Augmentation of a whole batch at once, where the network is: tensor operations, no loop over rows."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from facenet_lit.data.augmentation import Augmentation, Changes
from facenet_lit.errors import check_choice

# Of ITU-R BT.601, as OpenCV's grey.
_LUMA = torch.tensor([0.299, 0.587, 0.114])
# A turn of the hue is one about the grey axis; the two directions across it are those of YIQ.
_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_BLUR_REACH = 2
_ERASED = (0.1, 0.35)  # least and largest side of the box, as a share

# What is drawn for a row, in this order: one number in [0, 1) each, whether it is used or not, so that a setting
# changes nothing but what it is about.
_DRAWN = (
    "flip", "shift_x", "shift_y", "scale", "rotate", "brightness", "contrast", "colour", "saturation", "hue", "grey",
    "blur", "blur_width", "erase", "erase_height", "erase_width", "erase_y", "erase_x", "red", "green", "blue",
)  # fmt: skip


class BatchedAugmentation:
    """The changes of :class:`facenet_lit.data.augmentation.Augmentation`, made for all rows in one pass.

    Where that looks at a picture at a time with OpenCV, this interpolates bilinearly once (mirror image and move
    together), changes colours by a matrix for each row, and keeps fractions of a level. The two draw other numbers,
    and a turn of the hue is one in YIQ.

    What is drawn for a row depends on the seed and on the row's number in the global batch alone.

    Args:
        changes: how large and how frequent they are.
    """

    def __init__(self, changes: Changes) -> None:
        self.changes = changes

    def __call__(self, images: Tensor, seed: tuple[int, ...], first: int = 0) -> Tensor:
        """Augments a batch.

        Args:
            images: (N, 3, H, W) uint8 RGB, H and W equal.
            seed: what is drawn by.
            first: number of the first row, where the images are the share of one process.

        Returns:
            (N, 3, H, W) float32 in [0, 255], on the images' device.
        """
        drawn = self._draw(seed, first, len(images))
        pixels = self._move(images.float(), drawn)
        pixels = self._recolour(pixels, drawn)
        pixels = self._blur(pixels, drawn)
        return self._erase(pixels, drawn).clamp(0, 255)  # where interpolation was rounded up

    def _draw(self, seed: tuple[int, ...], first: int, rows: int) -> _Drawn:
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
        values = rng.random((first + rows, len(_DRAWN)), np.float32)[first:]
        return _Drawn(torch.from_numpy(values))

    def _move(self, pixels: Tensor, drawn: _Drawn) -> Tensor:
        """Mirror images, shifts, scales and turns about the centre; what comes in from outside repeats the edge."""
        c = self.changes
        mirrored = drawn.below("flip", c.flip)  # (N,)
        if not (c.shift or c.scale or c.rotate):
            return torch.where(_wide(mirrored, pixels), pixels.flip(3), pixels) if c.flip else pixels
        angle = drawn.around("rotate", math.radians(c.rotate))
        size = 1 + drawn.around("scale", c.scale)
        along, across = angle.cos() / size, angle.sin() / size
        x = (
            _wide(-2 * drawn.around("shift_x", c.shift), pixels)
            + _places(pixels.shape[3], pixels)[None, None, None]
        )
        y = (
            _wide(-2 * drawn.around("shift_y", c.shift), pixels)
            + _places(pixels.shape[2], pixels)[None, None, :, None]
        )
        along, across = _wide(along, pixels), _wide(across, pixels)
        # Where in the picture, in [-1, 1], the places of the result come from: (N, H, W, 2). No matrix product,
        # whose last bits could depend on how many rows there are.
        aside = (along * x + across * y) * _wide(torch.where(mirrored, -1.0, 1.0), pixels)
        grid = torch.cat([aside, along * y - across * x], 1).permute(0, 2, 3, 1)
        return F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)

    def _recolour(self, pixels: Tensor, drawn: _Drawn) -> Tensor:
        """Light, then colour in half of the rows, then grey: each a matrix, multiplied into one."""
        c = self.changes
        if not (c.brightness or c.contrast or c.saturation or c.grey):
            return pixels
        rows = len(pixels)
        light = 1 + drawn.around("contrast", c.contrast)
        pixels = pixels * _wide(light, pixels) + _wide(255 * drawn.around("brightness", c.brightness), pixels)
        pixels = pixels.clamp(0, 255)
        if not (c.saturation or c.grey):
            return pixels
        matrix = torch.eye(3).expand(rows, 3, 3)
        if c.saturation:
            changed = drawn.below("colour", 0.5)
            keep = torch.where(changed, 1 + drawn.around("saturation", c.saturation), 1.0)
            turn = torch.where(changed, drawn.around("hue", 2 * math.pi * c.saturation / 10), 0.0)
            matrix = _saturation(keep) @ _hue(turn)
        if c.grey:
            grey = drawn.below("grey", c.grey)[:, None, None]
            matrix = torch.where(grey, _LUMA.expand(3, 3), matrix)
        weights = _sent(matrix, pixels)[..., None, None]  # (N, 3, 3, 1, 1)
        red, green, blue = (weights[:, :, k] * pixels[:, None, k] for k in range(3))
        return (red + green + blue).clamp_(0, 255)

    def _blur(self, pixels: Tensor, drawn: _Drawn) -> Tensor:
        """A Gaussian over five pixels each way, of a deviation of 0.5 to 1.1 pixels, in some rows."""
        chosen = drawn.below("blur", self.changes.blur).nonzero().squeeze(1)
        if not len(chosen):
            return pixels
        deviation = 0.5 + 0.6 * drawn["blur_width"][chosen]
        steps = torch.arange(-_BLUR_REACH, _BLUR_REACH + 1)
        weights = torch.exp(-0.5 * (steps / deviation[:, None]) ** 2)
        weights = _sent(weights / weights.sum(1, keepdim=True), pixels)  # (B, 5)
        rows = _sent(chosen, pixels)
        blurred = pixels[rows]
        for dimension in (2, 3):
            padded = F.pad(blurred, _PADDING[dimension], mode="replicate")
            size = pixels.shape[dimension]
            shifted = [padded.narrow(dimension, step, size) for step in range(weights.shape[1])]
            blurred = (torch.stack(shifted, 1) * weights[:, :, None, None, None]).sum(1)
        return pixels.index_copy(0, rows, blurred)

    def _erase(self, pixels: Tensor, drawn: _Drawn) -> Tensor:
        """A box of one colour, in some rows, inside the picture."""
        if not self.changes.erase:
            return pixels
        erased = drawn.below("erase", self.changes.erase)
        inside = erased[:, None, None]
        for dimension, (side_name, place_name) in enumerate(
            (("erase_height", "erase_y"), ("erase_width", "erase_x"))
        ):
            size = pixels.shape[2 + dimension]
            side = ((_ERASED[0] + (_ERASED[1] - _ERASED[0]) * drawn[side_name]) * size).round()
            start = (drawn[place_name] * (size - side + 1)).floor()
            at = torch.arange(size)
            within = (at >= start[:, None]) & (at < (start + side)[:, None])  # (N, size)
            inside = inside & (within[:, :, None] if dimension == 0 else within[:, None, :])
        colours = torch.stack([drawn[name] for name in ("red", "green", "blue")], 1) * 255
        return torch.where(_sent(inside, pixels)[:, None], _sent(colours, pixels)[:, :, None, None], pixels)


_PADDING = {2: (0, 0, _BLUR_REACH, _BLUR_REACH), 3: (_BLUR_REACH, _BLUR_REACH, 0, 0)}


class _Drawn(NamedTuple):
    """What was drawn for each row, (N, len(_DRAWN)) in [0, 1), on the CPU: what is done is known there at once."""

    values: Tensor

    def __getitem__(self, name: str) -> Tensor:  # type: ignore[override]
        return self.values[:, _DRAWN.index(name)]

    def below(self, name: str, probability: float) -> Tensor:
        """(N,) true with a probability."""
        return self[name] < probability

    def around(self, name: str, largest: float) -> Tensor:
        """(N,) between -largest and largest."""
        return (2 * self[name] - 1) * largest


def augmentation_of(where: str = "cpu", **settings: float) -> Augmentation | BatchedAugmentation:
    """What augments training images.

    Args:
        where: ``cpu``, a picture at a time by albumentations, or ``device``, a batch at a time where the network is.
        settings: those of :class:`Changes`.

    Raises:
        UserError: a setting is unknown or out of range.
    """
    check_choice("augmentation.where", where, ("cpu", "device"))
    changes = Changes(**settings)
    return Augmentation(changes) if where == "cpu" else BatchedAugmentation(changes)


def _wide(values: Tensor, pixels: Tensor) -> Tensor:
    """(N,) as (N, 1, 1, 1), where the pixels are."""
    return _sent(values, pixels)[:, None, None, None]


def _sent(values: Tensor, pixels: Tensor) -> Tensor:
    """Values of the CPU where the pixels are: to a GPU by way of pinned memory, so that the host waits for nothing."""
    return (values.pin_memory() if pixels.is_cuda else values).to(pixels.device, non_blocking=True)


def _places(size: int, pixels: Tensor) -> Tensor:
    """(size,) the centres of so many pixels, in [-1, 1]."""
    return (2 * torch.arange(size, dtype=pixels.dtype, device=pixels.device) + 1) / size - 1


def _saturation(keep: Tensor) -> Tensor:
    """(N, 3, 3): colours drawn towards their grey, or away from it."""
    keep = keep[:, None, None]
    return keep * torch.eye(3) + (1 - keep) * _LUMA.expand(3, 3)


def _hue(turn: Tensor) -> Tensor:
    """(N, 3, 3): colours turned about the grey axis, by angles (N,)."""
    rotation = torch.zeros(len(turn), 3, 3)
    rotation[:, 0, 0] = 1
    rotation[:, 1, 1] = rotation[:, 2, 2] = turn.cos()
    rotation[:, 2, 1] = turn.sin()
    rotation[:, 1, 2] = -turn.sin()
    turned: Tensor = torch.linalg.inv(_YIQ) @ rotation @ _YIQ
    return turned
