"""Pixels as the network sees them: augmented and normalised."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from facenet_lit.checks.finding import Cells, Finding, Verdict, looked

COLOURS = ("red", "green", "blue")
BINS = 48
# Deviations that a network's first layer takes as about 1.
LEAST, MOST = 0.1, 10.0
EVEN = 1e-3


class Pixels(NamedTuple):
    """The values of many images, by channel.

    Attributes:
        mean: (3,).
        std: (3,).
        low: (3,) the least.
        high: (3,) the greatest.
        edges: (BINS + 1,) of the histogram's bins.
        heights: (3, BINS) share of a channel's values in each.
    """

    mean: list[float]
    std: list[float]
    low: list[float]
    high: list[float]
    edges: list[float]
    heights: list[list[float]]


def describe_pixels(pixels: Tensor) -> Pixels:
    """Mean, deviation, range and histogram of each channel.

    Args:
        pixels: (N, 3, H, W).
    """
    channels = pixels.detach().double().cpu().transpose(0, 1).flatten(1)  # (3, N * H * W)
    low, high = float(channels.min()), float(channels.max())
    high = high if high > low else low + 1
    heights = [torch.histc(values, BINS, low, high) / len(values) for values in channels]
    return Pixels(
        channels.mean(1).tolist(),
        channels.std(1, correction=0).tolist(),
        channels.amin(1).tolist(),
        channels.amax(1).tolist(),
        torch.linspace(low, high, BINS + 1, dtype=torch.float64).tolist(),
        [share.tolist() for share in heights],
    )


def check_pixels(pixels: Pixels, normalize: str, images: int) -> Finding:
    """Whether pixels come centred and of a deviation near 1.

    Off the centre by more than their deviation, a layer's sums have all one sign, and the first steps go into undoing
    that.

    Args:
        pixels: as the network gets them.
        normalize: ``data.normalize``.
        images: how many they are of.
    """
    said = f"After augmentation and data.normalize={normalize}, {images:,} training images."
    table = _table(pixels)
    if max(pixels.std) < EVEN:
        said = f"{said} All pixels are the same."
        return Finding("pixels", Verdict.STOP, said, "look at the pictures: they show nothing", table)
    return looked("pixels", f"{said} {_sentence(pixels)}", _advice(pixels, normalize), table)


def _sentence(pixels: Pixels) -> str:
    if not (_off_centre(pixels) or _off_scale(pixels)):
        return "They are normalised: their means are near 0, their deviations near 1."
    lie = f"they lie in {min(pixels.low):.2f} to {max(pixels.high):.2f}"
    mean, std = sum(pixels.mean) / 3, sum(pixels.std) / 3
    return f"They are not normalised: {lie}, of mean {mean:.2f} and deviation {std:.2f}, not near 0 and 1."


def _advice(pixels: Pixels, normalize: str) -> str:
    if not (_off_centre(pixels) or _off_scale(pixels)):
        return ""
    if normalize == "none":
        return "say data.normalize=half; or dataset, or image"
    return "look whether the pictures are very dark or bright; data.normalize=dataset or image takes that out"


def _off_centre(pixels: Pixels) -> bool:
    return any(abs(mean) > std for mean, std in zip(pixels.mean, pixels.std, strict=True))


def _off_scale(pixels: Pixels) -> bool:
    return not all(LEAST <= std <= MOST for std in pixels.std)


def _table(pixels: Pixels) -> list[Cells]:
    rows = zip(COLOURS, *pixels[:4], strict=True)
    return [
        ("", "mean", "std", "min", "max"),
        *((name, *(f"{value:.2f}" for value in values)) for name, *values in rows),
    ]
