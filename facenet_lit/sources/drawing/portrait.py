"""A picture of a face, painted from the back to the front and photographed."""

from __future__ import annotations

import numpy as np

from facenet_lit.preprocessing import Picture
from facenet_lit.sources.drawing import backdrop, covers, eyes, glasses, hair, marks, nose_and_mouth, skull
from facenet_lit.sources.drawing.brush import OVERSAMPLING, Shape, paint
from facenet_lit.sources.drawing.camera import photograph
from facenet_lit.sources.drawing.circumstances import Circumstances, draw_circumstances
from facenet_lit.sources.drawing.sitting import Sitting
from facenet_lit.sources.drawing.traits import Face

DRAWING_VERSION = 3  # raised with every change of a pixel: packed pictures are kept by it


def draw_picture(face: Face, rng: np.random.Generator, size: int) -> Picture:
    """Draws a picture of an identity under circumstances of its own.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    return picture_of(face, draw_circumstances(rng), rng, size)


def picture_of(face: Face, circumstances: Circumstances, rng: np.random.Generator, size: int) -> Picture:
    """The picture of an identity under given circumstances; ``rng`` makes the noise."""
    sitting = Sitting.of(face, circumstances)
    canvas = backdrop.background(circumstances, size * OVERSAMPLING)
    paint(canvas, shapes_of(sitting), sitting.framing)
    return photograph(canvas, sitting, rng, size)


def shapes_of(sitting: Sitting) -> list[Shape]:
    """All shapes of a head, from the back to the front."""
    return [
        *backdrop.shoulders(sitting),
        *hair.hair_behind(sitting),
        *skull.neck(sitting),
        *hair.uncovered(sitting, skull.ear(sitting, -sitting.near)),
        *skull.face(sitting),
        *marks.marks(sitting),
        *hair.beard(sitting),
        *nose_and_mouth.mouth(sitting),
        *eyes.eyes(sitting),
        *hair.hair_before(sitting),
        *eyes.brows(sitting),
        *nose_and_mouth.nose(sitting),
        *hair.uncovered(sitting, skull.ear(sitting, sitting.near)),
        *glasses.glasses(sitting),
        *covers.cover(sitting),
    ]
