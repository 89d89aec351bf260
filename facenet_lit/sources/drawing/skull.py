"""What features lie on: neck, ears and face."""

from __future__ import annotations

import numpy as np

from facenet_lit.sources.drawing.brush import Shape
from facenet_lit.sources.drawing.head import SIDE, ellipsoid_seen, face_seen
from facenet_lit.sources.drawing.shapes import CIRCLE, FloatArray, ellipse, mix, pair
from facenet_lit.sources.drawing.sitting import Sitting

SKULL_CENTRE = np.array([0.0, -0.12, -0.12])
_BLUSH = (226, 92, 84)


def neck(sitting: Sitting) -> list[Shape]:
    """The neck with the chin's shadow on it."""
    skin, chin = sitting.face.skin, sitting.traits["face_height"]
    wide = 0.52 * sitting.traits["face_width"]
    return [
        Shape(ellipse(0, 0.95, wide, 0.52), 0.86 * skin, 0.6),
        Shape(ellipse(0, chin - 0.08, wide, 0.26), 0.70 * skin, 0.6),
    ]


def face(sitting: Sitting) -> list[Shape]:
    """Forehead, cheeks and jaw, with a blush."""
    traits, skin = sitting.traits, sitting.face.skin
    forehead = ellipsoid_seen(SKULL_CENTRE, skull_radii(traits), sitting.looked)
    # Two steps, so that it looks soft.
    blush = [pair(ellipse(0.46, sitting.tip - 0.01, size * 0.17, size * 0.12)) for size in (1.0, 0.6)]
    return [
        Shape(forehead, skin),
        Shape(face_seen(traits, sitting.looked), skin),
        Shape(sitting.on(blush[0]), mix(skin, _BLUSH, 0.6 * traits["blush"])),
        Shape(sitting.on(blush[1]), mix(skin, _BLUSH, traits["blush"])),
    ]


def skull_radii(traits: dict[str, float]) -> FloatArray:
    """(3,) half axes of the bare skull."""
    return np.array([1.02 * traits["face_width"], 0.90 * traits["face_height"], 0.86])


def ear(sitting: Sitting, side: int) -> list[Shape]:
    """An ear, 1 for the right of the picture and -1 for the left: it stands out and lies along the head."""
    traits, skin = sitting.traits, sitting.face.skin
    size, flare = traits["ear_size"], traits["ear_flare"]

    def shell(scale: float) -> FloatArray:
        out = 0.97 * traits["face_width"] + flare * (0.35 + 0.65 * scale * CIRCLE[:, 0])
        down = 0.5 * (traits["eye_height"] + sitting.tip) + size * scale * CIRCLE[:, 1]
        back = SIDE - 0.55 * size * (1 + scale * CIRCLE[:, 0])
        return np.stack([side * out, down, back], axis=1)

    return [Shape(shell(1.0), 0.92 * skin), Shape(shell(0.55), 0.74 * skin)]
