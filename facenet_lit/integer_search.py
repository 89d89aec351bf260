"""Searches in rows of distances by the integers that their bits are: NumPy finds those fastest on the CPU."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def ordered_bits(distances: Tensor) -> Tensor:
    """Integers >= 0 in the order of distances, which are 0 or more; what is no number comes last, whatever its sign.

    Args:
        distances: float32 or float64, of any shape.

    Returns:
        int32 or int64, of the same shape.
    """
    bits = distances.view(torch.int64 if distances.dtype == torch.float64 else torch.int32)
    return bits & torch.iinfo(bits.dtype).max  # without the sign, which 0 / 0 has on some machines


def closest_above(limits: Tensor, values: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """(P,) column of the least integer above a limit in a row of ``values``, of equals the first; and if there is one.

    Args:
        limits: (P,) integers >= 0.
        values: (A, B) integers >= -1.
        rows: (P,) which row each limit is for.
    """
    # Above its limit a value, and no other, wraps around to below 0, in order.
    shift = limits + (torch.iinfo(limits.dtype).min + 1)
    columns, found = [rows.new_empty(0)], [rows.new_empty(0, dtype=torch.bool)]
    for row, offset in zip(rows.split(len(values)), shift.split(len(values)), strict=True):
        wrapped = values.index_select(0, row).sub_(offset[:, None])  # (A, B) at most
        columns.append(first_smallest(wrapped))
        found.append(wrapped.gather(1, columns[-1][:, None]).squeeze(1) < 0)
    return torch.cat(columns), torch.cat(found)


def places(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns (P,) where (A, B) is true, in order: few, which NumPy finds several times as fast as torch."""
    on_cpu = mask.device.type == "cpu"
    place = torch.from_numpy(np.flatnonzero(mask.numpy())) if on_cpu else mask.flatten().nonzero().squeeze(1)
    return place // mask.shape[1], place % mask.shape[1]


def first_smallest(values: Tensor) -> Tensor:
    """(A,) column of the smallest integer of each row of (A, B), the first of equals.

    On the CPU NumPy does it ten times as fast as torch.
    """
    return torch.from_numpy(values.numpy().argmin(1)) if values.device.type == "cpu" else values.argmin(1)
