"""Nose and mouth."""

from __future__ import annotations

import numpy as np

from facenet_lit.sources.drawing.brush import Shape
from facenet_lit.sources.drawing.shapes import ARCH, LINE, FloatArray, band, ellipse, mix, pair
from facenet_lit.sources.drawing.sitting import Sitting

_INSIDE, _TEETH = np.array([88.0, 28.0, 34.0]), np.array([246.0, 242.0, 234.0])


def nose(sitting: Sitting) -> list[Shape]:
    """The nose: its shaded side, wings, tip and nostrils, the farther before the face the nearer the tip."""
    traits, skin = sitting.traits, sitting.face.skin
    width, high, tip = traits["nose_width"], traits["nose_height"], sitting.tip
    # The ridge stands before the face, its foot lies on it: seen from the side they part.
    ridge = np.linspace(0, 1, 7)
    down = traits["eye_height"] - 0.04 + ridge * (tip - traits["eye_height"] + 0.04)
    dark = -np.sign(sitting.light()[0])
    crest = sitting.on(np.stack([0 * down, down], axis=1), high * ridge)
    foot = np.stack([dark * (0.05 + (width - 0.05) * ridge**1.5), down], axis=1)
    shaded = np.concatenate([crest, sitting.on(foot)[::-1]])
    wings = pair(ellipse(0.68 * width, tip + 0.005, 0.36 * width, 0.30 * width + 0.02))
    holes = pair(ellipse(0.42 * width, tip + 0.055, 0.22 * width, 0.020, -0.3))
    ball = ellipse(0, tip, 0.52 * width + 0.01, 0.42 * width + 0.02)
    return [
        Shape(shaded, 0.86 * skin),
        Shape(sitting.on(wings, 0.45 * high), 0.88 * skin),
        Shape(sitting.on(ball + np.array([0, 0.025]), 0.8 * high), 0.78 * skin),
        Shape(sitting.on(holes, 0.6 * high), 0.42 * skin),
        Shape(sitting.on(ball, high), mix(skin, (236, 120, 100), 0.10)),
        Shape(sitting.on(ellipse(-0.02 * dark, tip - 0.03, 0.2 * width, 0.03), high), 0.75 * skin + 64),
    ]


def mouth(sitting: Sitting) -> list[Shape]:
    """Lips and what they show, closed or open, smiling or not."""
    traits, now, face = sitting.traits, sitting.now, sitting.face
    x = LINE * (traits["mouth_width"] + 0.5 * now["smile"])
    middle = sitting.mouth + now["smile"] * (ARCH - 0.5)
    bow = ARCH**0.7
    opened = max(0.0, now["mouth_open"]) * bow
    above, below = middle - 0.4 * opened, middle + 0.6 * opened
    dip = 1 - traits["lip_bow"] * np.exp(-((LINE / 0.22) ** 2))
    top = above - 0.85 * traits["lips"] * bow * dip
    bottom = below + 1.1 * traits["lips"] * bow
    shadow = ellipse(0, sitting.mouth + 1.3 * traits["lips"] + 0.06, 0.6 * traits["mouth_width"], 0.03)
    return [
        Shape(_before(sitting, shadow), 0.90 * face.skin),
        Shape(_before(sitting, band(x, top, below)), 0.88 * face.lips),
        Shape(_before(sitting, band(x, above, bottom)), face.lips),
        Shape(_before(sitting, band(x, above - 0.012, below + 0.012)), 0.5 * face.lips),
        *([] if now["mouth_open"] <= 0 else _inside(sitting, x, above, below)),
    ]


def _inside(sitting: Sitting, x: FloatArray, above: FloatArray, below: FloatArray) -> list[Shape]:
    teeth = above + np.minimum(0.6 * (below - above), 0.05)
    return [
        Shape(_before(sitting, band(x, above, below)), _INSIDE),
        Shape(_before(sitting, band(0.85 * x, above, teeth)), _TEETH),
    ]


def _before(sitting: Sitting, points: FloatArray) -> FloatArray:
    return sitting.on(points, 0.06)
