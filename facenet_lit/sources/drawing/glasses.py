"""Glasses, in some pictures."""

from __future__ import annotations

import numpy as np

from facenet_lit.sources.drawing.brush import Shape
from facenet_lit.sources.drawing.head import SIDE
from facenet_lit.sources.drawing.shapes import ARCH, CIRCLE, LINE, FloatArray, band, moved, pair, ring
from facenet_lit.sources.drawing.sitting import Sitting


def glasses(sitting: Sitting) -> list[Shape]:
    """Arms, dark lenses in a few, rims and bridge."""
    now, frame = sitting.now, sitting.drawn.frame
    if now["glasses"] <= 0:
        return []
    size, height = now["glasses_size"], sitting.traits["eye_height"] + 0.03
    middle = max(sitting.traits["eye_distance"], 1.12 * size)
    lens = moved(_rim(size, now["glasses_round"]), middle, height)
    bridge = band(
        LINE * (middle - 1.05 * size), height - 0.05 - 0.02 * ARCH, np.full(len(LINE), height - 0.015)
    )
    return [
        Shape(_arms(sitting, middle + size, height), frame),
        *([Shape(sitting.on(pair(lens), 0.10), 0.3 * frame + 12)] if now["glasses_dark"] > 0 else []),
        Shape(sitting.on(pair(ring(lens, 0.05)), 0.10), frame),
        Shape(sitting.on(bridge, 0.12), frame),
    ]


def _rim(size: float, power: float) -> FloatArray:
    """Outline (32, 2) of a lens: a superellipse, round at power 2, nearly a box above."""
    rim: FloatArray = np.sign(CIRCLE) * np.abs(CIRCLE) ** (2 / power) * np.array([1.08 * size, 0.85 * size])
    return rim


def _arms(sitting: Sitting, start: float, height: float) -> FloatArray:
    """Both arms (2, 4, 3), from the lenses back to the ears."""
    wide = 1.04 * sitting.traits["face_width"]
    arm = np.array(
        [
            [start, height - 0.06, 0.38],
            [wide, height - 0.06, SIDE],
            [wide, height - 0.01, SIDE],
            [start, height - 0.01, 0.38],
        ]
    )
    return np.stack([arm, arm * np.array([-1, 1, 1])])
