"""What a drawn face looks like: the traits of an identity, and the circumstances of a picture of it.

Lengths are in half heights of an average face, angles in radians, colours RGB from 0 to 255.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from facenet_lit.sources.brush import FloatArray, mix

# Per trait of an identity its range; each is drawn uniformly, so that every one tells identities apart.
_TRAITS = {
    "skin_depth": (0.0, 1.0),
    "skin_warmth": (-1.0, 1.0),
    "face_width": (0.62, 0.90),
    "face_height": (0.90, 1.12),
    "jaw": (0.05, 0.55),
    "eye_distance": (0.27, 0.45),
    "eye_height": (-0.24, -0.02),
    "eye_width": (0.12, 0.20),
    "eye_roundness": (0.50, 0.95),
    "eye_tilt": (-0.22, 0.22),
    "iris": (0.0, 1.0),
    "brow_gap": (0.15, 0.30),
    "brow_arch": (0.0, 0.11),
    "brow_tilt": (-0.25, 0.25),
    "brow_thickness": (0.03, 0.11),
    "nose_length": (0.24, 0.46),
    "nose_width": (0.07, 0.20),
    "mouth_width": (0.17, 0.38),
    "mouth_height": (0.50, 0.66),
    "lip_thickness": (0.035, 0.10),
    "lip_redness": (0.0, 1.0),
    "hair_light": (0.0, 1.0),
    "hair_red": (-0.4, 1.0),
    "hair_volume": (0.06, 0.32),
    "hair_length": (-0.3, 1.3),
    "hairline": (-0.80, -0.42),
    "parting": (-0.6, 0.6),
    "beard": (-0.8, 0.8),
}

# Per circumstance of a picture its range, drawn uniformly too.
_CIRCUMSTANCES = {
    "shift_x": (-0.10, 0.10),
    "shift_y": (-0.08, 0.08),
    "roll": (-0.22, 0.22),
    "scale": (0.62, 0.76),
    "turn": (-0.10, 0.10),
    "smile": (-0.05, 0.13),
    "mouth_open": (-0.06, 0.10),
    "eyes_open": (0.65, 1.1),
    "brow_raise": (-0.02, 0.06),
    "gaze": (-0.35, 0.35),
    "light_angle": (0.0, 2 * np.pi),
    "light_slope": (0.0, 0.40),
    "exposure": (0.75, 1.2),
    "tint": (-0.07, 0.07),
    "blur": (0.0, 0.012),
    "noise": (1.0, 7.0),
}


class Face(NamedTuple):
    """What stays the same in every picture of an identity: its traits, and the colours they give."""

    traits: dict[str, float]
    skin: FloatArray
    hair: FloatArray
    iris: FloatArray
    lips: FloatArray


def draw_identity(rng: np.random.Generator) -> Face:
    """Draws an identity's traits."""
    traits = _uniform(rng, _TRAITS)
    skin = mix((246, 216, 192), (104, 68, 48), traits["skin_depth"])
    skin = skin + traits["skin_warmth"] * np.array([8.0, -4.0, -14.0])
    hair = mix((30, 24, 24), (232, 204, 140), traits["hair_light"])
    hair = hair + traits["hair_red"] * np.array([46.0, -8.0, -26.0])
    colours = np.array([[78, 46, 22], [92, 124, 62], [74, 138, 200]], dtype=float)  # brown, green, blue
    iris = np.array([np.interp(traits["iris"], [0, 0.5, 1], channel) for channel in colours.T])
    lips = mix(0.82 * skin, (196, 52, 72), 0.15 + 0.6 * traits["lip_redness"])
    return Face(traits, skin, hair, iris, lips)


def draw_circumstances(rng: np.random.Generator) -> dict[str, float]:
    """Draws the circumstances of a picture."""
    return _uniform(rng, _CIRCUMSTANCES)


def _uniform(rng: np.random.Generator, ranges: dict[str, tuple[float, float]]) -> dict[str, float]:
    shares = rng.random(len(ranges)).tolist()
    return {
        name: low + share * (high - low)
        for (name, (low, high)), share in zip(ranges.items(), shares, strict=True)
    }
