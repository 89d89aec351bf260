"""What is behind a head: the background and the shoulders."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from facenet_lit.preprocessing import Picture
from facenet_lit.sources.drawing.brush import Shape
from facenet_lit.sources.drawing.circumstances import Circumstances
from facenet_lit.sources.drawing.shapes import ellipse, pair
from facenet_lit.sources.drawing.sitting import Sitting

# Rows and columns of the pattern that a scene shows, and how it goes from one to the next: a gradient, blurred
# things, sharper ones, stripes across and down, a room's corner.
_SCENES = (
    (2, 2, cv2.INTER_LINEAR),
    (4, 4, cv2.INTER_CUBIC),
    (8, 8, cv2.INTER_CUBIC),
    (1, 8, cv2.INTER_NEAREST),
    (6, 1, cv2.INTER_LINEAR),
    (2, 3, cv2.INTER_NEAREST),
)


def background(circumstances: Circumstances, side: int) -> Picture:
    """A canvas (side, side, 4) with the background on it, which the light of the head does not fall on."""
    place = int(circumstances.values["scene"] * len(_SCENES))
    rows, columns, between = _SCENES[min(place, len(_SCENES) - 1)]
    shares = circumstances.pattern[:rows, :columns] ** 6
    colours = np.zeros((rows, columns, 4), np.uint8)
    colours[:, :, :3] = shares / shares.sum(axis=-1, keepdims=True) @ circumstances.palette
    return cast(Picture, cv2.resize(colours, (side, side), interpolation=between))


def shoulders(sitting: Sitting) -> list[Shape]:
    """Shoulders in a garment with a collar."""
    clothes = sitting.drawn.clothes
    collar = np.array([[0.20, 1.02], [0.52, 1.16], [0.34, 1.48], [0.05, 1.52]])
    return [
        Shape(ellipse(0, 1.95, 1.35, 0.82), clothes, 0.5),
        Shape(pair(collar), 0.8 * clothes + 26, 0.5),
    ]
