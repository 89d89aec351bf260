"""The head as a solid: where features lie on it, and what of it is seen when it turns.

A head's own coordinates: x to the right, y down, z towards the viewer; the origin is inside the head, between
the ears. Half the height of an average face is 1. What is *seen* has two coordinates: the head turned, looked
at from far away.
"""

from __future__ import annotations

import cv2
import numpy as np

from facenet_lit.sources.drawing.shapes import CIRCLE, FINE_CIRCLE, FloatArray

Traits = dict[str, float]

# A head turns about the neck, but a crop follows the face: this depth stays where it is.
PIVOT = 0.25
# Behind this depth cheeks and jaw end and the ears begin.
SIDE = -0.08


def view(yaw: float, pitch: float) -> FloatArray:
    """(2, 3) matrix from a head's coordinates to what is seen.

    Positive yaw turns the nose to the right of the picture, positive pitch turns it down.
    """
    across, up = (np.cos(yaw), np.sin(yaw)), (np.cos(pitch), np.sin(pitch))
    return np.array([[across[0], 0.0, across[1]], [-up[1] * across[1], up[0], up[1] * across[0]]])


def seen(points: FloatArray, looked: FloatArray) -> FloatArray:
    """Points of a head (..., 3) by a view (2, 3): (..., 2), the pivot at the origin."""
    result: FloatArray = (points - np.array([0.0, 0.0, PIVOT])) @ looked.T
    return result


def on_face(traits: Traits, points: FloatArray, lift: float | FloatArray = 0.0) -> FloatArray:
    """Puts flat points (..., 2) on the front of the head, or ``lift`` before it: (..., 3)."""
    x = points[..., 0] * (1 / (1.10 * traits["face_width"]))
    y = points[..., 1] * (1 / (1.18 * traits["face_height"]))
    solid = np.empty((*points.shape[:-1], 3))
    solid[..., :2] = points
    solid[..., 2] = traits["face_depth"] * np.sqrt(np.maximum(1 - x * x - y * y, 0)) + lift
    return solid


def face_outline(traits: Traits) -> FloatArray:
    """Outline of the face (32, 2) from the front: half an ellipse, below it a jaw, round or square."""
    x, y = CIRCLE[:, 0], CIRCLE[:, 1]
    below = np.clip(y, 0, 1)
    squarer = np.sign(x) * np.sqrt(1 - below ** traits["jaw"]) * (1 - traits["taper"] * below)
    across = np.where(y > 0, squarer, x)
    # The jaw's rule gives the chin no width; a chin has some.
    across = across + np.sign(x) * traits["chin"] * below**8 * (np.abs(x) > 1e-9)
    return np.stack([across * traits["face_width"], y * traits["face_height"]], axis=1)


def face_seen(traits: Traits, looked: FloatArray) -> FloatArray:
    """What is seen of the skin of face, cheeks and jaw (K, 2): the hull of outline, front and sides."""
    outline = face_outline(traits)
    side = outline[outline[:, 1] > -0.5] * [0.99, 0.96]
    solid = np.concatenate(
        [
            on_face(traits, outline),
            on_face(traits, outline * 0.8),
            np.concatenate([side, np.full((len(side), 1), SIDE)], axis=1),
        ]
    )
    hull = cv2.convexHull(seen(solid, looked).astype(np.float32))
    return np.asarray(hull[:, 0], dtype=float)


def ellipsoid_seen(centre: FloatArray, radii: FloatArray, looked: FloatArray) -> FloatArray:
    """Outline (64, 2) of an ellipsoid along the head's axes, beginning at its right end as seen.

    A view M turns the unit sphere scaled by the radii into the disc whose edge is L times the unit circle,
    where L L^T = M diag(radii^2) M^T.
    """
    spread = (looked * radii**2) @ looked.T
    first = np.sqrt(spread[0, 0])
    second = spread[1, 0] / first
    lower = np.array([[first, 0.0], [second, np.sqrt(spread[1, 1] - second**2)]])
    result: FloatArray = FINE_CIRCLE @ lower.T + seen(centre, looked)
    return result
