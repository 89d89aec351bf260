"""From painted colours to a photograph: the light, then the camera with its blur, noise and compression."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from facenet_lit.preprocessing import Picture, decode
from facenet_lit.sources.drawing.sitting import Sitting

_MIDDLE = 120  # the value that contrast leaves alone

Plane = npt.NDArray[np.float32]


def shading(sitting: Sitting, size: int) -> Plane:
    """Light (size, size) that falls on the head, taken as an ellipsoid with Lambert's law, about 1 in the middle.

    Beyond the outline the surface is taken to be seen from the side.
    """
    framing, now = sitting.framing, sitting.now
    places = (np.arange(size, dtype=np.float32) + 0.5) * (2 / size) - 1
    x = (places - np.float32(framing.centre[0]))[None, :] / np.float32(framing.scale * 0.95)
    y = (places - np.float32(framing.centre[1]))[:, None] / np.float32(framing.scale * 1.25)
    towards = np.sqrt(np.maximum(1 - x * x - y * y, 0.04))
    length = np.sqrt(x * x + y * y + towards * towards)
    light = sitting.light().astype(np.float32)
    falls = np.maximum((light[0] * x + light[1] * y + light[2] * towards) / length, 0)
    hard = np.float32(now["light_hardness"])
    shaded: Plane = 1 - hard + hard * 1.25 * falls
    return shaded


def cast_shadow(sitting: Sitting, size: int) -> Plane:
    """A shadow (size, size) with a soft straight edge that falls across the picture; 1 where there is light."""
    now = sitting.now
    places = (np.arange(size, dtype=np.float32) + 0.5) * (2 / size) - 1
    x, y = np.cos(now["shadow_turn"]), np.sin(now["shadow_turn"])
    across = (
        np.float32(x) * places[None, :] + np.float32(y) * places[:, None] - np.float32(now["shadow_place"])
    )
    inside = np.clip(across / np.float32(now["shadow_edge"]) + 0.5, 0, 1)
    shadow: Plane = 1 - np.float32(now["shadow"]) * inside
    return shadow


def photograph(canvas: Picture, sitting: Sitting, rng: np.random.Generator, size: int) -> Picture:
    """The canvas (S, S, 4) lit, and taken by a camera: (size, size, 3)."""
    small = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)
    lit = small[:, :, 3:] * np.float32(1 / 255)
    light = 1 + lit * (shading(sitting, size)[:, :, None] - 1)
    if sitting.now["shadow"] > 0:
        light *= cast_shadow(sitting, size)[:, :, None]
    return taken(small[:, :, :3] * light, sitting.now, rng)


def taken(shown: Plane, now: dict[str, float], rng: np.random.Generator) -> Picture:
    """What a camera makes of lit colours (size, size, 3): developed, blurred, noisy and compressed."""
    shown = developed(shown, now)
    blur = now["blur"] * len(shown)
    if blur > 0.2:  # less than that moves nothing
        shown = cast(Plane, cv2.GaussianBlur(shown, (0, 0), blur))
    if now["noise"] > 0:
        shown += rng.standard_normal(shown.shape, dtype=np.float32) * np.float32(now["noise"])
    return compressed(np.clip(shown, 0, 255).astype(np.uint8), round(now["jpeg"]))


def developed(shown: Plane, now: dict[str, float]) -> Plane:
    """Colour of the light, exposure, saturation and contrast: a 3 x 3 matrix and an offset for each pixel."""
    warm, green = now["light_warmth"], now["light_green"]
    gains = now["exposure"] * np.diag(np.exp([warm, green, -warm]))
    saturation = now["saturation"] * np.eye(3) + (1 - now["saturation"]) / 3
    matrix = (now["contrast"] * saturation @ gains).astype(np.float32)
    result: Plane = shown @ matrix.T + np.float32(_MIDDLE * (1 - now["contrast"]))
    return result


def compressed(picture: Picture, quality: int) -> Picture:
    """The picture as JPEG of a quality from 0 to 100 gives it back."""
    encoded = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cast(Picture, decode(encoded.tobytes()))
