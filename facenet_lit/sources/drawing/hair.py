"""Hair of the head and beard."""

from __future__ import annotations

import numpy as np

from facenet_lit.sources.drawing.brush import Shape
from facenet_lit.sources.drawing.head import ellipsoid_seen, face_outline, seen
from facenet_lit.sources.drawing.shapes import ARCH, FINE_CIRCLE, LINE, FloatArray, band, mix
from facenet_lit.sources.drawing.sitting import Sitting
from facenet_lit.sources.drawing.skull import SKULL_CENTRE, skull_radii

_CURLS = np.abs(np.sin(np.linspace(0, 9 * np.pi, len(FINE_CIRCLE), endpoint=False)))
# What hangs behind the neck, in widths of the head and lengths of the hair.
_FALL = np.array(
    [[-1, -0.1], [1, -0.1], [1.1, 0.5], [1.06, 0.92], [0.9, 1], [-0.9, 1], [-1.06, 0.92], [-1.1, 0.5]]
)
_BEND = 0.06 * np.sin(np.linspace(0, np.pi, 9))
_BALD, _SHOULDER = -0.35, 0.45  # hair_length below which there is no hair, and from which it hangs


def crown(sitting: Sitting) -> FloatArray:
    """Outline (64, 2) of the head with its hair, as seen, from the right through the bottom."""
    traits = sitting.traits
    volume = traits["hair_volume"]
    radii = skull_radii(traits) * np.array([1 + 0.8 * volume, 1 + 0.8 * volume, 1 + 0.5 * volume]) + 0.01
    outline = ellipsoid_seen(SKULL_CENTRE, radii, sitting.looked)
    waves = max(0.0, traits["hair_waves"])
    return outline * (1 + waves * _CURLS)[:, None]


def hair_behind(sitting: Sitting) -> list[Shape]:
    """The hair behind face and ears, what hangs behind the neck, and on the side that is turned away."""
    traits, colour = sitting.traits, 0.84 * sitting.face.hair
    if traits["hair_length"] < _BALD:
        return []
    shapes = [Shape(crown(sitting), colour)]
    if traits["hair_length"] > _SHOULDER:
        wide = traits["face_width"] * (1.02 + 0.8 * traits["hair_volume"])
        hanging = np.empty((len(_FALL), 3))
        hanging[:, :2] = _FALL * np.array([wide, traits["hair_length"]])
        hanging[:, 2] = -0.25
        shapes += [Shape(hanging, colour, 0.8), Shape(_lock(sitting, -sitting.near), 0.95 * colour, 0.9)]
    return shapes


def hair_before(sitting: Sitting) -> list[Shape]:
    """The hair from the hairline up, and what hangs over the ear on the side turned to the viewer."""
    traits, colour = sitting.traits, sitting.face.hair
    if traits["hair_length"] < _BALD:
        return []
    outline = crown(sitting)
    above = np.concatenate([outline[32:], outline[:1]])  # from the left over the top to the right
    line = seen(sitting.on(hairline(traits), 0.03), sitting.looked)
    middle = above.mean(axis=0)
    arc = above[9:24] - middle
    shine = np.concatenate([0.88 * arc, 0.76 * arc[::-1]]) + middle
    shapes = [
        Shape(np.concatenate([above, line[::-1]]), colour),
        Shape(shine, mix(colour, (255, 244, 224), 0.12)),
    ]
    if traits["hair_length"] > _SHOULDER:
        shapes.append(Shape(_lock(sitting, sitting.near), 0.95 * colour, 0.9))
    return shapes


def _lock(sitting: Sitting, side: int) -> FloatArray:
    """What hangs down beside the face (K, 3), 1 for the right of the picture and -1 for the left."""
    traits = sitting.traits
    start, end = traits["eye_height"] - 0.12, min(traits["hair_length"], 1.25)
    inner, outer = 0.93 + _BEND, 1.06 + 0.9 * traits["hair_volume"] + _BEND
    thin = np.linspace(0, 1, len(_BEND)) ** 4 * 0.45 * (outer - inner)
    x = np.concatenate([inner + thin, (outer - thin)[::-1]]) * (side * traits["face_width"])
    down = start + (end - start) * np.linspace(0, 1, len(_BEND))
    # From before the ear to behind it, so that nothing shows between it and the hair behind.
    return np.stack([x, np.concatenate([down, down[::-1]]), np.repeat([0.05, -0.25], len(_BEND))], axis=1)


def uncovered(sitting: Sitting, ears: list[Shape]) -> list[Shape]:
    """The ears where no hair hangs over them."""
    return [] if sitting.traits["hair_length"] > _SHOULDER else ears


def hairline(traits: dict[str, float]) -> FloatArray:
    """The edge of the hair on the forehead (K, 2), from the left temple to the right one."""
    s = np.linspace(-1, 1, 25)
    part = 0.6 * traits["parting"]
    away = np.abs(s - part) / np.where(s > part, 1 - part, 1 + part)
    temple = traits["eye_height"] - 0.02
    height = traits["hairline"] * traits["face_height"]
    y = height + (temple - height) * away ** traits["hairline_shape"]
    if traits["fringe"] > 0:
        y = y + (0.5 + 2 * traits["fringe"] * np.abs(np.sin(3.5 * np.pi * s))) * 0.45 * (1 - s**4) * 0.5
    return np.stack([s * traits["face_width"] * 1.01, np.minimum(y, temple)], axis=1)


def beard(sitting: Sitting) -> list[Shape]:
    """Beard and moustache, where an identity has them."""
    traits, face = sitting.traits, sitting.face
    shapes = []
    if traits["beard"] > 0:
        outline = face_outline(traits)
        wide = traits["beard_width"]
        top = sitting.mouth + 0.05 - 0.30 * wide
        jaw = outline[outline[:, 1] > top] * np.array([wide, 1.02])  # from the right to the left
        low = sitting.mouth + 1.1 * traits["lips"] + 0.04
        across = LINE * jaw[0, 0]
        inner = low - (low - jaw[0, 1]) * np.abs(LINE) ** 3
        area = np.concatenate([jaw, np.stack([across, inner], axis=1)])
        shapes.append(Shape(sitting.on(area, 0.02), mix(face.skin, face.hair, 0.35 + 0.65 * traits["beard"])))
    if traits["moustache"] > 0:
        middle = 0.55 * sitting.mouth + 0.45 * sitting.tip + 0.01
        x = LINE * traits["mouth_width"] * 1.05
        droop = 0.05 * LINE**2
        half = 0.035 + 0.03 * traits["moustache"]
        area = band(x, middle + droop - half * ARCH, middle + droop + half * ARCH)
        colour = mix(face.skin, 0.92 * face.hair, 0.5 + 0.5 * traits["moustache"])
        shapes.append(Shape(sitting.on(area, 0.07), colour))
    return shapes
