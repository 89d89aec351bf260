"""Flat polygons that faces are put together from, and colours between colours.

Lengths are a head's own: half the height of an average face is 1, x points to the right, y down. Colours are
RGB from 0 to 255.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_ANGLES = np.linspace(0, 2 * np.pi, 64, endpoint=False)
FINE_CIRCLE = np.stack(
    [np.cos(_ANGLES), np.sin(_ANGLES)], axis=1
)  # (64, 2), from the right through the bottom
CIRCLE = FINE_CIRCLE[::2]  # (32, 2)
LINE = np.linspace(-1, 1, 13)
ARCH = 1 - LINE**2  # 0 at both ends, 1 in the middle


def mix(first: npt.ArrayLike, second: npt.ArrayLike, share: float) -> FloatArray:
    """The colour at ``share`` of the way from the first to the second."""
    return np.asarray(first, dtype=float) * (1 - share) + np.asarray(second, dtype=float) * share


def along(palette: FloatArray, share: float) -> FloatArray:
    """The colour at ``share``, from 0 to 1, of the way through a palette (K, 3)."""
    place = share * (len(palette) - 1)
    first = min(int(place), len(palette) - 2)
    return mix(palette[first], palette[first + 1], place - first)


def rotated(points: FloatArray, angle: float) -> FloatArray:
    """Points (..., 2) turned about the origin, from x towards y."""
    cosine, sine = math.cos(angle), math.sin(angle)
    result: FloatArray = points @ np.array([[cosine, sine], [-sine, cosine]])
    return result


def moved(points: FloatArray, x: float, y: float) -> FloatArray:
    """Points (..., 2) shifted by ``x`` and ``y``."""
    result: FloatArray = points + np.array([x, y])
    return result


def ellipse(x: float, y: float, width: float, height: float, angle: float = 0.0) -> FloatArray:
    """Polygon (32, 2) of an ellipse by its half axes."""
    axes = CIRCLE * np.array([width, height])
    return moved(rotated(axes, angle) if angle else axes, x, y)


def band(x: FloatArray, top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Polygon (2K, 2) between two curves over the same ``x`` (K,)."""
    polygon = np.empty((2 * len(x), 2))
    polygon[: len(x), 0], polygon[len(x) :, 0] = x, x[::-1]
    polygon[: len(x), 1], polygon[len(x) :, 1] = top, bottom[::-1]
    return polygon


def ring(outer: FloatArray, thickness: float) -> FloatArray:
    """Polygon (2K + 2, 2) between a closed curve (K, 2) about its centre and a smaller one inside it."""
    centre = outer.mean(axis=0)
    inner = centre + (outer - centre) * (1 - thickness / np.ptp(outer[:, 0]) * 2)
    return np.concatenate([outer, outer[:1], inner[:1], inner[::-1]])


def pair(right: FloatArray) -> FloatArray:
    """Two polygons (2, K, 2): one of the right half of a face (K, 2) and its mirror image on the left."""
    both = np.empty((2, *right.shape))
    both[:] = right
    both[1, :, 0] *= -1
    return both
