"""Faces that sit for the tests, everything about them settled unless a test changes it."""

from __future__ import annotations

import numpy as np

from facenet_lit.preprocessing import Picture
from facenet_lit.sources.drawing.brush import Shape
from facenet_lit.sources.drawing.circumstances import Circumstances, draw_circumstances
from facenet_lit.sources.drawing.portrait import picture_of
from facenet_lit.sources.drawing.sitting import Sitting
from facenet_lit.sources.drawing.traits import Face, draw_identity, face_of

# From the front, in the middle, in even light, with nothing before the face.
PLAIN = {
    "yaw": 0.0, "pitch": 0.0, "roll": 0.0, "scale": 0.7, "shift_x": 0.0, "shift_y": 0.0, "smile": 0.05,
    "mouth_open": -1.0, "eyes_open": 1.0, "brow_raise": 0.0, "frown": 0.0, "gaze": 0.0, "light_hardness": 0.0,
    "light_warmth": 0.0, "light_green": 0.0, "exposure": 1.0, "shadow": -1.0, "glasses": -1.0, "glasses_dark": -1.0,
    "cover": 0.99, "contrast": 1.0, "saturation": 1.0, "blur": -1.0, "noise": -1.0, "jpeg": 96.0,
}  # fmt: skip


def generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def face(seed: int = 0, **traits: float) -> Face:
    return face_of({**draw_identity(generator(seed)).traits, **traits})


def circumstances(seed: int = 0, **now: float) -> Circumstances:
    drawn = draw_circumstances(generator(seed))
    return drawn._replace(values={**drawn.values, **PLAIN, **now})


def sitting(seed: int = 0, traits: dict[str, float] | None = None, **now: float) -> Sitting:
    return Sitting.of(face(seed, **(traits or {})), circumstances(**now))


def picture(seed: int = 0, traits: dict[str, float] | None = None, size: int = 64, **now: float) -> Picture:
    return picture_of(face(seed, **(traits or {})), circumstances(**now), generator(0), size)


def placed(sitter: Sitting, shape: Shape, side: int = 200) -> np.ndarray:
    """Pixels (K, 2) of all points of a shape."""
    return sitter.framing.placement(side)(shape.points).reshape(-1, 2)


def changed(first: Picture, second: Picture, by: int = 20) -> int:
    """How many pixels differ by more than ``by`` in some channel."""
    return int((np.abs(first.astype(int) - second.astype(int)).max(axis=2) > by).sum())
