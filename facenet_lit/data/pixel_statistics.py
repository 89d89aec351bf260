"""What the embedder normalises pixels by."""

from __future__ import annotations

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.sources.pack_files import Images

NORMALIZATIONS = ("none", "half", "dataset", "image")

Statistics = tuple[list[float], list[float]]

CHUNK = 1024  # images in memory at a time


def pixel_statistics(images: Images, numbers: IntArray, normalize: str) -> Statistics:
    """Mean and deviation of each channel of x / 255.

    Args:
        images: (N, S, S, 3) uint8.
        numbers: those that are trained on.
        normalize: ``none``, ``half`` or ``image``, which ask no image, or ``dataset``. Under ``image`` the
            embedder takes each picture's own mean and deviation, so here it is as ``none``.
    """
    if normalize in ("none", "image"):
        return [0.0] * 3, [1.0] * 3
    if normalize == "half":
        return [0.5] * 3, [0.5] * 3
    total, squares, count = np.zeros(3), np.zeros(3), 0
    for start in range(0, len(numbers), CHUNK):
        pixels = images[numbers[start : start + CHUNK]].reshape(-1, 3) / 255.0
        total, squares, count = total + pixels.sum(0), squares + (pixels**2).sum(0), count + len(pixels)
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 1e-12))
    return mean.tolist(), deviation.tolist()
