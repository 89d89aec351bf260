"""Marks of the skin, where an identity has them."""

from __future__ import annotations

import numpy as np

from facenet_lit.sources.drawing.brush import Shape
from facenet_lit.sources.drawing.shapes import ARCH, CIRCLE, LINE, band, ellipse, mix, moved, pair
from facenet_lit.sources.drawing.sitting import Sitting

# Where freckles lie on the right cheek, from the middle of the face at the height of the eyes.
_FRECKLES = np.array([[0.25, 0.18], [0.45, 0.22], [0.65, 0.17], [0.35, 0.29], [0.57, 0.30], [0.18, 0.27]])
_DOT = 0.020 * CIRCLE[::4]


def marks(sitting: Sitting) -> list[Shape]:
    """Folds beside the mouth, freckles, a mole, a scar."""
    traits = sitting.traits
    return [
        *(folds(sitting) if traits["folds"] > 0 else []),
        *(freckles(sitting) if traits["freckles"] > 0 else []),
        *(mole(sitting) if traits["mole_size"] > 0 else []),
        *(scar(sitting) if traits["scar"] > 0 else []),
    ]


def folds(sitting: Sitting) -> list[Shape]:
    """A line on each side, from the wing of the nose to the corner of the mouth."""
    traits = sitting.traits
    x = traits["mouth_width"] + 0.09 + 0.02 * LINE - 0.04 * LINE**2
    line = band(sitting.mouth - 0.07 + 0.09 * LINE, x - 0.016 * ARCH, x + 0.016 * ARCH)[:, ::-1]
    return [Shape(sitting.on(pair(line)), (1 - 0.5 * traits["folds"]) * sitting.face.skin)]


def freckles(sitting: Sitting) -> list[Shape]:
    """Six on each cheek."""
    traits, skin = sitting.traits, sitting.face.skin
    right = moved(_FRECKLES, 0, traits["eye_height"])[:, None] + _DOT  # (6, K, 2)
    colour = mix(0.85 * skin, (120, 66, 40), 0.2 + 0.4 * traits["freckles"])
    return [Shape(sitting.on(np.concatenate([right, right * np.array([-1, 1])])), colour)]


def mole(sitting: Sitting) -> list[Shape]:
    """A dark dot."""
    traits = sitting.traits
    size = 0.012 + traits["mole_size"]
    spot = ellipse(1.3 * traits["face_width"] * traits["mole_x"], traits["mole_y"], size, size)
    return [Shape(sitting.on(spot), 0.32 * sitting.face.skin)]


def scar(sitting: Sitting) -> list[Shape]:
    """A light line across a cheek."""
    x = np.sign(sitting.traits["mole_x"]) * (0.42 + 0.06 * LINE)
    line = band(0.24 + 0.16 * LINE, x - 0.014, x + 0.014)[:, ::-1]
    return [Shape(sitting.on(line), mix(sitting.face.skin, (250, 190, 180), 0.6))]
