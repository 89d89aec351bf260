"""The canvas, and the brush that puts shapes of a head on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np

from facenet_lit.preprocessing import Picture
from facenet_lit.sources.drawing.head import PIVOT
from facenet_lit.sources.drawing.shapes import FloatArray, rotated

# Drawn at twice the size and averaged down: edges come out smooth at any size.
OVERSAMPLING = 2
# Fractional bits of OpenCV's coordinates.
_SHIFT = 6


class Shape(NamedTuple):
    """One or several polygons of a colour.

    Attributes:
        points: (..., K, 3) in a head's coordinates, or (..., K, 2) as seen.
        colour: (3,) RGB.
        lit: how far the light that models the head falls on it, from 0 to 1.
    """

    points: FloatArray
    colour: FloatArray
    lit: float = 1.0


class Framing(NamedTuple):
    """How a head stands before the camera, and where it falls on the picture.

    Attributes:
        looked: (2, 3), the view of the head.
        roll: angle in the picture's plane, in radians.
        scale: half the height of an average face, in half sides of the picture.
        centre: (2,) where the head's pivot falls; (0, 0) is the picture's middle, (1, 1) its lower right corner.
    """

    looked: FloatArray
    roll: float
    scale: float
    centre: FloatArray

    def placement(self, side: int) -> Placement:
        """Where points fall on a square canvas; pixel centres have whole numbers."""
        flat = rotated(np.eye(2), self.roll) * (self.scale * side / 2)
        offset = (self.centre + 1) * (side / 2) - 0.5
        solid = self.looked.T @ flat
        return Placement(flat, offset, solid, offset - PIVOT * solid[2])


class Placement(NamedTuple):
    """Affine maps to pixels: of seen points (2, 2) and of a head's points (3, 2), with what is added to each."""

    flat: FloatArray
    flat_offset: FloatArray
    solid: FloatArray
    solid_offset: FloatArray

    def __call__(self, points: FloatArray) -> FloatArray:
        """Pixels (..., 2) of points as seen (..., 2), or of a head (..., 3)."""
        if points.shape[-1] == 3:
            return points @ self.solid + self.solid_offset
        return points @ self.flat + self.flat_offset


def paint(canvas: Picture, shapes: Iterable[Shape], framing: Framing) -> None:
    """Paints shapes over one another on a canvas (S, S, 4): red, green, blue, and how far each pixel is lit."""
    place = framing.placement(len(canvas))
    for points, colour, lit in shapes:
        fixed = np.rint(place(points) * 2**_SHIFT).astype(np.int32)
        polygons = [fixed] if fixed.ndim == 2 else list(fixed)
        # OpenCV clips the colours to what a pixel holds.
        cv2.fillPoly(canvas, polygons, (*colour.tolist(), 255 * lit), cv2.LINE_AA, _SHIFT)
