"""What happens to be so in one picture: drawn without knowing whose picture it is.

Lengths are in half heights of an average face, angles in radians, colours RGB from 0 to 255.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from facenet_lit.sources.drawing.ranges import Ranges, uniform
from facenet_lit.sources.drawing.shapes import FloatArray

# Each is drawn uniformly. Of those that say "from 0 on", a picture has the thing only above 0.
_RANGES: Ranges = {
    "yaw": (-0.26, 0.26),
    "pitch": (-0.14, 0.14),
    "roll": (-0.24, 0.24),
    "scale": (0.64, 0.84),
    "shift_x": (-0.22, 0.22),
    "shift_y": (-0.17, 0.21),
    "smile": (-0.02, 0.12),
    "mouth_open": (-0.10, 0.12),  # from 0 on
    "eyes_open": (0.70, 1.10),
    "brow_raise": (-0.03, 0.06),
    "frown": (-0.08, 0.08),
    "gaze": (-0.40, 0.40),
    "light_turn": (-np.pi, np.pi),  # where on a circle about the head it comes from
    "light_side": (0.1, 1.1),  # angle between it and the line of sight
    "light_hardness": (0.10, 0.28),
    "light_warmth": (-0.12, 0.12),
    "light_green": (-0.04, 0.04),
    "exposure": (0.84, 1.30),
    "shadow": (-0.92, 0.14),  # depth of one that falls across, from 0 on
    "shadow_turn": (-np.pi, np.pi),
    "shadow_place": (-0.35, 0.35),
    "shadow_edge": (0.05, 0.30),
    "glasses": (-0.88, 0.12),  # from 0 on
    "glasses_size": (0.19, 0.25),
    "glasses_round": (2.0, 5.0),
    "glasses_dark": (-0.9, 0.1),  # from 0 on
    "cover": (0.0, 1.0),
    "cover_side": (-1.0, 1.0),
    "cover_place": (0.0, 1.0),
    "scene": (0.0, 1.0),
    "contrast": (0.90, 1.15),
    "saturation": (0.77, 1.21),
    "blur": (-0.012, 0.004),  # share of the side, from 0 on
    "noise": (-4.0, 3.0),  # from 0 on
    "jpeg": (72.0, 96.0),
}


class Circumstances(NamedTuple):
    """The circumstances of a picture.

    Attributes:
        values: by name.
        palette: (3, 3) colours of the background.
        pattern: (8, 8, 3) shares by which the background mixes them.
        clothes: (3,) a colour.
        cover: (3,) colour of what covers a part of the face.
        frame: (3,) colour of the glasses' frame.
    """

    values: dict[str, float]
    palette: FloatArray
    pattern: FloatArray
    clothes: FloatArray
    cover: FloatArray
    frame: FloatArray


def draw_circumstances(rng: np.random.Generator) -> Circumstances:
    """Draws the circumstances of a picture."""
    values = uniform(rng, _RANGES)
    colours = muted(rng.uniform(5, 250, (6, 3)))
    pattern = rng.random((8, 8, 3))
    return Circumstances(values, colours[:3], pattern, colours[3], colours[4], 0.6 * colours[5])


def muted(colours: FloatArray) -> FloatArray:
    """Colours (..., 3) drawn towards the grey of their brightness."""
    result: FloatArray = 0.8 * colours + 0.2 * colours.mean(axis=-1, keepdims=True)
    return result
