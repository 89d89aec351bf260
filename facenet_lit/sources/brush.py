"""What drawn faces are made of: colours, polygons, and the brush that puts them on a canvas.

Colours are RGB from 0 to 255. Coordinates are a face's own: origin between eyes and mouth, x to the right,
y down, half the height of an average face as unit.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Drawn at twice the size and averaged down: edges come out smooth at any size.
_OVERSAMPLING = 2
# Fractional bits of OpenCV's coordinates.
_SHIFT = 6
_ANGLES = np.linspace(0, 2 * np.pi, 48, endpoint=False)
CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)  # (48, 2), from the right through the bottom


class Brush:
    """A canvas in the picture's background colour, and where a face's coordinates fall on it."""

    def __init__(self, background: FloatArray, circumstances: dict[str, float], size: int) -> None:
        side = size * _OVERSAMPLING
        self.canvas = np.empty((side, side, 3), np.uint8)
        self.canvas[:] = background.astype(np.uint8)
        self._scale = circumstances["scale"] * side / 2
        self._roll = circumstances["roll"]
        centre = np.array([circumstances["shift_x"], circumstances["shift_y"] + 0.06])
        self._centre = (1 + centre) * side / 2 - 0.5
        # A head that turns moves its features against its outline.
        self._turn = np.array([circumstances["turn"], 0.0])

    def fill(self, points: FloatArray, colour: FloatArray, turned: bool = False) -> None:
        """Fills the polygon ``points`` (K, 2); ``turned`` ones move with the turn of the head."""
        cv2.fillPoly(self.canvas, [self._place(points, turned)], _plain(colour), cv2.LINE_AA, _SHIFT)

    def stroke(self, points: FloatArray, thickness: float, colour: FloatArray) -> None:
        """Draws a line through ``points`` (K, 2), turned with the head."""
        width = max(1, round(thickness * self._scale))
        placed = [self._place(points, True)]
        cv2.polylines(self.canvas, placed, False, _plain(colour), width, cv2.LINE_AA, _SHIFT)

    def _place(self, points: FloatArray, turned: bool) -> npt.NDArray[np.int32]:
        """Pixels (K, 2) of a face's coordinates, in OpenCV's fixed point."""
        points = points + self._turn if turned else points
        pixels = rotated(points, self._roll) * self._scale + self._centre
        fixed: npt.NDArray[np.int32] = np.round(pixels * 2**_SHIFT).astype(np.int32)
        return fixed


def _plain(colour: FloatArray) -> tuple[float, ...]:
    return tuple(np.clip(colour, 0, 255).tolist())


def mix(first: npt.ArrayLike, second: npt.ArrayLike, share: float) -> FloatArray:
    """The colour at ``share`` of the way from the first to the second."""
    return np.asarray(first, dtype=float) * (1 - share) + np.asarray(second, dtype=float) * share


def muted(colour: FloatArray) -> FloatArray:
    """The colour drawn towards the grey of its brightness."""
    return mix(colour, np.full(3, colour.mean()), 0.45)


def rotated(points: FloatArray, angle: float) -> FloatArray:
    """Points (K, 2) turned about the origin."""
    x, y = points[:, 0], points[:, 1]
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=1)


def moved(points: FloatArray, x: float, y: float) -> FloatArray:
    """Points (K, 2) shifted by ``x`` and ``y``."""
    result: FloatArray = points + np.array([x, y])
    return result


def ellipse(x: float, y: float, width: float, height: float, angle: float = 0.0) -> FloatArray:
    """Polygon (48, 2) of an ellipse by its half axes."""
    return moved(rotated(CIRCLE * [width, height], angle), x, y)


def band(x: FloatArray, top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Polygon (2K, 2) between two curves over the same ``x`` (K,)."""
    return np.stack([np.concatenate([x, x[::-1]]), np.concatenate([top, bottom[::-1]])], axis=1)
