"""Eyes and brows, both sides at once."""

from __future__ import annotations

import numpy as np

from facenet_lit.sources.drawing.brush import Shape
from facenet_lit.sources.drawing.shapes import (
    ARCH,
    CIRCLE,
    LINE,
    FloatArray,
    band,
    ellipse,
    mix,
    moved,
    pair,
    rotated,
)
from facenet_lit.sources.drawing.sitting import Sitting

_WHITE = np.array([246.0, 243.0, 238.0])


def eyes(sitting: Sitting) -> list[Shape]:
    """The eyes with their lids and irises; the irises look to one side together."""
    traits, face = sitting.traits, sitting.face
    width = traits["eye_width"]
    opened = width * traits["eye_roundness"] * sitting.now["eyes_open"]
    top, bottom = -opened * ARCH**0.8, 0.75 * opened * ARCH
    thick = traits["lashes"] * (0.5 + 0.5 * ARCH)
    iris = _irises(sitting, 0.64 * width * max(traits["eye_roundness"], 0.62), opened)
    pupil = _irises(sitting, 0.30 * width * max(traits["eye_roundness"], 0.62), opened)
    shine = _irises(sitting, 0.12 * width, opened) + np.array([-0.2, -0.2]) * width
    socket = ellipse(0, -0.02, 1.45 * width, opened + 0.09)
    lid = band(LINE * width * 1.1, top - thick - 0.035, top - thick)
    return [
        Shape(_both(sitting, pair(_tilted(sitting, socket))), (1 - traits["eye_depth"]) * face.skin),
        Shape(_both(sitting, pair(_tilted(sitting, lid))), 0.82 * face.skin),
        Shape(_both(sitting, pair(_tilted(sitting, band(LINE * width, top, bottom)))), _WHITE),
        Shape(_both(sitting, iris), face.iris),
        Shape(_both(sitting, pupil), np.full(3, 18.0)),
        Shape(_both(sitting, shine), np.full(3, 250.0)),
        Shape(
            _both(sitting, pair(_tilted(sitting, band(LINE * width * 1.08, top - thick, top + 0.012)))),
            mix(0.25 * face.skin, 0.5 * face.hair, 0.5),
        ),
    ]


def brows(sitting: Sitting) -> list[Shape]:
    """The brows: thick at the nose, thin at the temples."""
    traits = sitting.traits
    half = 0.5 * traits["brow_thickness"] * np.linspace(1.15, 0.55, len(LINE))
    bow = -traits["brow_arch"] * ARCH
    brow = band(LINE * traits["eye_width"] * traits["brow_width"], bow - half, bow + half)
    turned = rotated(brow, traits["brow_tilt"] + sitting.now["frown"])
    height = traits["eye_height"] - traits["brow_gap"] - sitting.now["brow_raise"]
    placed = pair(moved(turned, traits["eye_distance"] + 0.02, height))
    return [Shape(sitting.on(placed, 0.02), mix(0.8 * sitting.face.hair, 0.4 * sitting.face.skin, 0.25))]


def _irises(sitting: Sitting, radius: float, opened: float) -> FloatArray:
    """Discs (2, K, 2) of both eyes, cut off by the lids."""
    traits, width = sitting.traits, sitting.traits["eye_width"]
    x = CIRCLE[:, 0] * radius + sitting.now["gaze"] * width * 0.55
    arch = np.maximum(1 - (x / width) ** 2, 0)
    y = np.clip(CIRCLE[:, 1] * radius - 0.05 * width, -opened * arch**0.8, 0.75 * opened * arch)
    disc = np.stack([x, y], axis=1)
    # Both look the same way: the left one is not the right one's mirror image, but its lids are.
    right = rotated(disc, traits["eye_tilt"]) + np.array([traits["eye_distance"], traits["eye_height"]])
    left = rotated(disc, -traits["eye_tilt"]) + np.array([-traits["eye_distance"], traits["eye_height"]])
    return np.stack([right, left])


def _tilted(sitting: Sitting, points: FloatArray) -> FloatArray:
    """The right eye's points at their place."""
    traits = sitting.traits
    return moved(rotated(points, traits["eye_tilt"]), traits["eye_distance"], traits["eye_height"])


def _both(sitting: Sitting, points: FloatArray) -> FloatArray:
    return sitting.on(points, -0.02)
