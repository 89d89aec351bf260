"""Who a drawn face is: what stays the same in every picture of an identity.

Lengths are in half heights of an average face, angles in radians, colours RGB from 0 to 255.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from facenet_lit.sources.drawing.ranges import Ranges, uniform
from facenet_lit.sources.drawing.shapes import FloatArray, along, mix

# Each is drawn uniformly, so that every one tells identities apart. Of those that reach below 0 and say "from
# 0 on", an identity has the thing only above.
_RANGES: Ranges = {
    "skin": (0.0, 1.0),
    "skin_warmth": (-1.0, 1.0),
    "blush": (0.0, 0.30),
    "face_width": (0.66, 0.92),
    "face_height": (0.92, 1.10),
    "face_depth": (0.60, 0.78),
    "jaw": (1.7, 3.6),  # the higher, the squarer
    "taper": (0.0, 0.26),
    "chin": (0.0, 0.12),
    "eye_distance": (0.29, 0.43),
    "eye_height": (-0.16, 0.04),
    "eye_width": (0.125, 0.20),
    "eye_roundness": (0.45, 0.95),
    "eye_tilt": (-0.24, 0.24),
    "eye_depth": (0.0, 0.20),
    "lashes": (0.022, 0.060),
    "iris": (0.0, 1.0),
    "brow_gap": (0.12, 0.27),
    "brow_arch": (0.0, 0.10),
    "brow_tilt": (-0.24, 0.24),
    "brow_thickness": (0.025, 0.14),
    "brow_width": (1.05, 1.50),
    "nose_length": (0.28, 0.46),
    "nose_width": (0.07, 0.2),
    "nose_height": (0.14, 0.40),  # before the face
    "mouth_width": (0.16, 0.37),
    "mouth_height": (0.30, 0.46),  # share of the way from the nose's tip to the chin
    "lips": (0.03, 0.105),
    "lip_bow": (0.0, 0.5),
    "lip_redness": (0.0, 1.0),
    "ear_size": (0.13, 0.25),
    "ear_flare": (0.05, 0.17),
    "hair": (0.0, 1.0),
    "hair_volume": (0.03, 0.32),
    "hair_length": (-0.5, 1.5),  # where it ends; below -0.35 there is none
    "hair_waves": (-0.10, 0.12),  # from 0 on
    "hairline": (-0.80, -0.46),
    "hairline_shape": (1.4, 5.0),  # the higher, the squarer
    "parting": (-0.6, 0.6),
    "fringe": (-0.20, 0.16),  # from 0 on
    "beard": (-1.0, 0.9),  # from 0 on
    "beard_width": (0.35, 1.0),  # from a goatee to a full beard
    "moustache": (-1.0, 0.9),  # from 0 on
    "freckles": (-1.0, 1.0),  # from 0 on
    "mole_x": (-0.55, 0.55),
    "mole_y": (0.10, 0.75),
    "mole_size": (-0.04, 0.06),  # from 0 on
    "scar": (-5.0, 1.0),  # from 0 on
    "folds": (-0.5, 0.5),  # lines beside the mouth, from 0 on
}

_SKIN = np.array(
    [[252, 226, 204], [240, 198, 168], [222, 172, 130], [192, 136, 96], [146, 96, 66], [102, 66, 48]],
    dtype=float,
)
_HAIR = np.array(
    [
        [30, 26, 34], [58, 38, 30], [112, 68, 40], [128, 36, 40], [190, 84, 36], [216, 150, 72], [240, 212, 140],
        [198, 196, 196], [92, 110, 150], [120, 72, 140], [206, 106, 140],
    ],
    dtype=float,
)  # fmt: skip
_IRIS = np.array([[74, 46, 28], [120, 82, 40], [96, 128, 74], [84, 146, 196], [110, 124, 140]], dtype=float)


class Face(NamedTuple):
    """An identity: its traits by name, and the colours they give."""

    traits: dict[str, float]
    skin: FloatArray
    hair: FloatArray
    iris: FloatArray
    lips: FloatArray


def draw_identity(rng: np.random.Generator) -> Face:
    """Draws an identity's traits."""
    return face_of(uniform(rng, _RANGES))


def face_of(traits: dict[str, float]) -> Face:
    """An identity of these traits."""
    skin = along(_SKIN, traits["skin"]) + traits["skin_warmth"] * np.array([6.0, -2.0, -10.0])
    lips = mix(0.86 * skin, (200, 60, 80), 0.20 + 0.55 * traits["lip_redness"])
    return Face(traits, skin, along(_HAIR, traits["hair"]), along(_IRIS, traits["iris"]), lips)
