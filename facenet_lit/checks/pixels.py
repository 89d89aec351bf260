"""Pixels as the network sees them: augmented and normalised."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from facenet_lit.checks.finding import Cells, Finding, Verdict
from facenet_lit.health.causes import Circumstances, causes
from facenet_lit.health.diagnosis import Diagnosis
from facenet_lit.health.illnesses import inputs_show
from facenet_lit.health.inputs import Inputs

COLOURS = ("red", "green", "blue")
BINS = 48
EVEN = 1e-3  # deviation below which all pixels are the same


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


def check_pixels(pixels: Pixels, normalize: str, images: int, run: Circumstances) -> Finding:
    """Whether pixels are around 0, by the rule that embedding health has for a run's first ones.

    Args:
        pixels: as the network gets them.
        normalize: ``data.normalize``.
        images: how many they are of.
        run: what it trains with.
    """
    said, table = (
        f"After augmentation and data.normalize={normalize}, {images:,} training images.",
        _table(pixels),
    )
    if max(pixels.std) < EVEN:
        said = f"{said} All pixels are the same."
        return Finding("pixels", Verdict.STOP, said, "look at the pictures: they show nothing", table)
    inputs = inputs_of_channels(pixels)
    illness = inputs_show(inputs)
    if illness is None:
        said += f" They are normalised: of mean {inputs.mean:.2f} and deviation {inputs.deviation:.2f}."
        return Finding("pixels", Verdict.OK, said, "", table)
    ill = Diagnosis(illness, 0, inputs._asdict(), causes(illness, run))
    said = f"{said} {ill.sentence} They lie in {min(pixels.low):.2f} to {max(pixels.high):.2f}."
    return Finding("pixels", Verdict.LOOK, said, ill.advice, table)


def inputs_of_channels(pixels: Pixels) -> Inputs:
    """Mean and deviation of all channels together."""
    mean = sum(pixels.mean) / 3
    squares = sum(std**2 + value**2 for std, value in zip(pixels.std, pixels.mean, strict=True)) / 3
    return Inputs(mean, max(squares - mean**2, 0.0) ** 0.5)


def _table(pixels: Pixels) -> list[Cells]:
    rows = zip(COLOURS, *pixels[:4], strict=True)
    return [
        ("", "mean", "std", "min", "max"),
        *((name, *(f"{value:.2f}" for value in values)) for name, *values in rows),
    ]
