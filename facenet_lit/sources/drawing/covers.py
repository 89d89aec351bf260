"""What hides a part of the head in some pictures: a cap, a scarf, a microphone, a hand, leaves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from facenet_lit.sources.drawing.brush import Shape
from facenet_lit.sources.drawing.hair import crown
from facenet_lit.sources.drawing.head import seen
from facenet_lit.sources.drawing.shapes import LINE, band, ellipse, mix, moved
from facenet_lit.sources.drawing.sitting import Sitting


def cover(sitting: Sitting) -> list[Shape]:
    """One of the things that hide a part of the head, in some pictures."""
    chosen = sitting.now["cover"]
    for share, draw in _COVERS:
        if chosen < share:
            return draw(sitting)
        chosen -= share
    return []


def cap(sitting: Sitting) -> list[Shape]:
    """A knitted cap."""
    colour = sitting.drawn.cover
    outline = crown(sitting)
    top = np.concatenate([outline[32:], outline[:1]]) * 1.05
    height = -0.62 + 0.22 * sitting.now["cover_place"]
    x = LINE * 1.06 * sitting.traits["face_width"]
    edge = seen(sitting.on(np.stack([x, height + 0.06 * LINE**2], axis=1), 0.06), sitting.looked)
    brim = np.concatenate([moved(edge, 0, -0.1), moved(edge, 0, 0.07)[::-1]])
    bobble = moved(ellipse(0, 0, 0.13, 0.12), top[16, 0], top[16, 1] - 0.02)
    return [
        Shape(np.concatenate([top, edge[::-1]]), colour),
        Shape(bobble, mix(colour, (255, 255, 255), 0.35)),
        Shape(brim, 0.8 * colour),
    ]


def scarf(sitting: Sitting) -> list[Shape]:
    """A scarf, up to the chin or the mouth."""
    colour = sitting.drawn.cover
    top = 0.62 + 0.26 * sitting.now["cover_place"] + 0.12 * (1 - LINE**2)
    x = LINE * 0.98
    return [
        Shape(band(x * 1.1, top + 0.1, top + 0.75), 0.85 * colour, 0.7),
        Shape(band(x, top, top + 0.32), colour, 0.8),
        Shape(band(x, top + 0.30, top + 0.34), 0.7 * colour, 0.7),
    ]


def microphone(sitting: Sitting) -> list[Shape]:
    """A microphone before the chin."""
    x, y = 0.5 * sitting.now["cover_side"], 0.62 + 0.25 * sitting.now["cover_place"]
    lean = 0.5 * np.sign(x)
    handle = np.array([[-0.07, 0], [0.07, 0], [0.07 + lean, 1.2], [lean - 0.07, 1.2]])
    return [
        Shape(moved(handle, x, y), np.full(3, 46.0), 0.7),
        Shape(ellipse(x, y, 0.17, 0.19), 0.35 * sitting.drawn.cover + 40, 0.7),
        Shape(ellipse(x - 0.04, y - 0.05, 0.09, 0.08), 0.35 * sitting.drawn.cover + 75, 0.7),
        Shape(band(LINE * 0.15 + x, y + 0.10 + 0 * LINE, y + 0.15 + 0 * LINE), np.full(3, 150.0), 0.7),
    ]


def hand(sitting: Sitting) -> list[Shape]:
    """A hand at the cheek."""
    side = 1.0 if sitting.now["cover_side"] > 0 else -1.0
    skin = sitting.face.skin
    y = 0.25 + 0.35 * sitting.now["cover_place"]
    palm = ellipse(0.66, y + 0.42, 0.27, 0.34)
    sleeve = np.array([[0.48, y + 0.5], [0.88, y + 0.5], [1.1, 1.8], [0.6, 1.8]])
    flip = np.array([side, 1])
    shapes = [Shape(sleeve * flip, sitting.drawn.cover, 0.7), Shape(palm * flip, 0.93 * skin, 0.9)]
    for number in range(4):
        x, up = 0.42 + 0.11 * number, y - 0.02 * (number - 1.5) ** 2
        angle = 0.25 - 0.12 * number
        # Each on its shadow, which keeps it apart from the next.
        shapes.append(Shape(ellipse(x, up, 0.082, 0.31, angle) * flip, 0.72 * skin, 0.9))
        shapes.append(Shape(ellipse(x, up, 0.065, 0.30, angle) * flip, 0.97 * skin, 0.9))
    return shapes


def leaves(sitting: Sitting) -> list[Shape]:
    """A twig that reaches into the picture from a side."""
    side = 1.0 if sitting.now["cover_side"] > 0 else -1.0
    green = mix(sitting.drawn.cover, (70, 128, 62), 0.65)
    y = -0.9 + 1.5 * sitting.now["cover_place"]
    reach = 0.28 + 0.2 * abs(sitting.now["cover_side"])
    twig = [
        ellipse(side * (1.45 - reach * number), y + 0.12 * number, 0.27, 0.11, side * angle)
        for number, angle in enumerate((0.5, 1.4, 0.5, 1.4))
    ]
    return [Shape(leaf, (0.8 + 0.1 * number) * green, 0.4) for number, leaf in enumerate(twig)]


_COVERS: tuple[tuple[float, Callable[[Sitting], list[Shape]]], ...] = (
    (0.02, cap),
    (0.015, scarf),
    (0.01, microphone),
    (0.015, hand),
    (0.01, leaves),
)
