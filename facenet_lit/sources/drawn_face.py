"""Drawing of a simple face: head, hair, eyes, nose and mouth, then light and a camera's noise."""

from __future__ import annotations

import cv2
import numpy as np

from facenet_lit.preprocessing import Picture
from facenet_lit.sources.brush import CIRCLE, Brush, FloatArray, band, ellipse, mix, moved, muted, rotated
from facenet_lit.sources.face_traits import Face, draw_circumstances

DRAWING_VERSION = 1  # raised with every change of a pixel: packed pictures are kept by it

_LINE = np.linspace(-1, 1, 15)


def draw_picture(face: Face, rng: np.random.Generator, size: int) -> Picture:
    """Draws a picture of an identity under circumstances of its own.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    circumstances = draw_circumstances(rng)
    background, clothes = muted(rng.uniform(30, 230, 3)), muted(rng.uniform(20, 220, 3))
    brush = Brush(background, circumstances, size)
    draw_head(brush, face, clothes)
    draw_eyes(brush, face, circumstances)
    draw_nose_and_mouth(brush, face, circumstances)
    return _photograph(brush.canvas, circumstances, rng, size)


def draw_head(brush: Brush, face: Face, clothes: FloatArray) -> None:
    """Draws shoulders, neck, hair, ears and the face's outline, from the back to the front."""
    traits = face.traits
    outline = face_outline(traits)
    volume, length = traits["hair_volume"], traits["hair_length"]
    crown = outline * [1 + volume * 0.8, 1 + volume]
    crown[:, 1] = np.minimum(crown[:, 1], length)
    brush.fill(crown, 0.88 * face.hair)
    brush.fill(ellipse(0, 1.85, 1.25, 0.75), clothes)
    brush.fill(ellipse(0, 1.0, 0.36, 0.45), 0.80 * face.skin)
    for side in (-1, 1):
        brush.fill(ellipse(side * traits["face_width"], 0.05, 0.09, 0.19), 0.88 * face.skin)
    brush.fill(outline, face.skin)
    if traits["beard"] > 0:
        brush.fill(beard_outline(outline, traits["mouth_height"]), mix(face.skin, face.hair, traits["beard"]))
    # The fringe: the crown's upper part down to the hairline, which is highest at the parting.
    temple = traits["hairline"] + 0.30
    upper = crown[crown[:, 1] < temple]
    upper = upper[np.argsort(upper[:, 0])]
    across = np.clip(_LINE * 0.96, upper[0, 0], upper[-1, 0])[::-1] * traits["face_width"] * 1.02
    line = traits["hairline"] + 0.30 * np.abs(across - traits["parting"] * traits["face_width"]) ** 1.5
    brush.fill(np.concatenate([upper, np.stack([across, line], axis=1)]), face.hair)


def draw_eyes(brush: Brush, face: Face, circumstances: dict[str, float]) -> None:
    """Draws the eyes, their lids and the brows."""
    traits = face.traits
    width = traits["eye_width"]
    height = width * traits["eye_roundness"] * circumstances["eyes_open"]
    for side in (-1, 1):
        x, y = side * traits["eye_distance"], traits["eye_height"]
        eye = ellipse(x, y, width, height, side * traits["eye_tilt"])
        brush.fill(eye, np.array([244.0, 242.0, 238.0]), turned=True)
        iris_x = x + circumstances["gaze"] * width * 0.5
        radius = min(0.78 * height, 0.62 * width)
        brush.fill(ellipse(iris_x, y, radius, radius), face.iris, turned=True)
        brush.fill(ellipse(iris_x, y, 0.45 * radius, 0.45 * radius), np.full(3, 16.0), turned=True)
        brush.stroke(eye[24:], 0.035, 0.35 * face.skin)  # the upper lid
        brow = np.stack([_LINE * width * 1.35, -traits["brow_arch"] * (1 - _LINE**2)], axis=1)
        above = y - traits["brow_gap"] - circumstances["brow_raise"]
        brush.stroke(
            moved(rotated(brow, side * traits["brow_tilt"]), x, above),
            traits["brow_thickness"],
            0.72 * face.hair,
        )


def draw_nose_and_mouth(brush: Brush, face: Face, circumstances: dict[str, float]) -> None:
    """Draws the nose and the lips, open or closed, smiling or not."""
    traits = face.traits
    tip, wide = traits["eye_height"] + 0.08 + traits["nose_length"], traits["nose_width"]
    bridge = np.array(
        [[-0.025, traits["eye_height"]], [0.025, traits["eye_height"]], [wide, tip], [-wide, tip]]
    )
    brush.fill(bridge, 0.90 * face.skin, turned=True)
    brush.fill(ellipse(0, tip, wide, 0.4 * wide + 0.02), 0.78 * face.skin, turned=True)
    width = traits["mouth_width"] + circumstances["smile"] * 0.5
    middle = traits["mouth_height"] + circumstances["smile"] * (1 - _LINE**2)
    bow = (1 - _LINE**2) ** 0.7
    opened = max(0.0, circumstances["mouth_open"]) * bow
    x = _LINE * width
    inner_top, inner_bottom = middle - 0.5 * opened, middle + 0.5 * opened
    top = inner_top - 0.85 * traits["lip_thickness"] * bow
    bottom = inner_bottom + traits["lip_thickness"] * bow
    brush.fill(band(x, top, bottom), face.lips, turned=True)
    brush.fill(band(x, inner_top, inner_bottom), np.array([70.0, 20.0, 24.0]), turned=True)
    brush.stroke(np.stack([x, inner_top], axis=1), 0.02, 0.5 * face.lips)


def face_outline(traits: dict[str, float]) -> FloatArray:
    """Outline of the face (48, 2): an ellipse whose lower half narrows towards the chin, or doesn't."""
    x, y = CIRCLE[:, 0], CIRCLE[:, 1]
    square = 1 + 0.35 * (0.55 - traits["jaw"]) * np.clip(y, 0, 1) * (1 - np.abs(y))
    narrow = 1 - traits["jaw"] * np.clip(y, 0, 1) ** 1.5
    return np.stack([x * square * narrow * traits["face_width"], y * traits["face_height"]], axis=1)


def beard_outline(outline: FloatArray, mouth_height: float) -> FloatArray:
    """Outline of a beard: along the jaw, and from ear to ear through the upper lip."""
    jaw = outline[outline[:, 1] > 0.12]  # from the right to the left
    inner = 0.12 + (mouth_height - 0.24) * (1 - np.abs(_LINE) ** 3)
    return np.concatenate([jaw, np.stack([_LINE * jaw[0, 0], inner], axis=1)])


def _photograph(
    canvas: Picture, circumstances: dict[str, float], rng: np.random.Generator, size: int
) -> Picture:
    """The canvas averaged down, blurred, lit from a side, and with a camera's noise."""
    small = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    lit = cv2.GaussianBlur(small.astype(np.float32), (0, 0), 0.01 + circumstances["blur"] * size)
    along = np.linspace(-1, 1, size, dtype=np.float32) * circumstances["light_slope"]
    slope_x, slope_y = np.cos(circumstances["light_angle"]), np.sin(circumstances["light_angle"])
    light = circumstances["exposure"] * (1 + slope_x * along[None, :] + slope_y * along[:, None])
    tint = np.array([1 + circumstances["tint"], 1, 1 - circumstances["tint"]], dtype=np.float32)
    lit = lit * light.astype(np.float32)[:, :, None] * tint
    lit = lit + rng.standard_normal(lit.shape, dtype=np.float32) * circumstances["noise"]
    picture: Picture = np.clip(np.round(lit), 0, 255).astype(np.uint8)
    return picture
