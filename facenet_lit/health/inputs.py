"""Whether a network sees pixels around 0, as its first weights expect them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# Pixels of [0, 1], the whole of data.normalize=none, have a mean of one and a half to two deviations or more.
MOST_OFF = 1.25  # deviations that the mean may be off 0
DEVIATIONS = (0.1, 4.0)  # between which the deviation may be
ENOUGH_IMAGES = 32  # of fewer a mean says little: some are dark, some are bright


class Inputs(NamedTuple):
    """Mean and standard deviation of a batch's pixels, all colours together, as the backbone gets them."""

    mean: float
    deviation: float

    @property
    def normalized(self) -> bool:
        """Whether they are around 0 and neither tiny nor huge."""
        least, most = DEVIATIONS
        return least <= self.deviation <= most and abs(self.mean) <= MOST_OFF * self.deviation


@torch.no_grad()
def pixel_sums(pixels: Tensor) -> Tensor:
    """(3,) float64: number of values, their sum and that of their squares, which add up over processes."""
    values = pixels.double()
    return torch.stack([values.new_tensor(values.numel()), values.sum(), values.square().sum()])


def inputs_of(sums: Tensor) -> Inputs:
    """The statistics that sums tell of."""
    count, first, second = sums.tolist()
    mean = first / count
    return Inputs(mean, max(second / count - mean * mean, 0.0) ** 0.5)
