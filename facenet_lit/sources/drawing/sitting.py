"""An identity under the circumstances of a picture: what the drawing of each part is told."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from facenet_lit.sources.drawing.brush import Framing
from facenet_lit.sources.drawing.circumstances import Circumstances
from facenet_lit.sources.drawing.head import on_face, view
from facenet_lit.sources.drawing.shapes import FloatArray
from facenet_lit.sources.drawing.traits import Face


class Sitting(NamedTuple):
    """A face that sits for a picture.

    Attributes:
        face: who.
        traits: the face's traits.
        now: the circumstances' values.
        drawn: the circumstances with their colours.
        looked: (2, 3), the view of the head.
    """

    face: Face
    traits: dict[str, float]
    now: dict[str, float]
    drawn: Circumstances
    looked: FloatArray

    @classmethod
    def of(cls, face: Face, drawn: Circumstances) -> Sitting:
        """The face under these circumstances."""
        now = drawn.values
        return cls(face, face.traits, now, drawn, view(now["yaw"], now["pitch"]))

    @property
    def framing(self) -> Framing:
        """How the head falls on the picture."""
        centre = np.array([self.now["shift_x"], self.now["shift_y"]])
        return Framing(self.looked, self.now["roll"], self.now["scale"], centre)

    def on(self, points: FloatArray, lift: float | FloatArray = 0.0) -> FloatArray:
        """Flat points (..., 2) put on the front of the head: (..., 3)."""
        return on_face(self.traits, points, lift)

    def light(self) -> FloatArray:
        """(3,) unit vector from the head towards the light, in the picture's coordinates, z to the viewer."""
        turn, side = self.now["light_turn"], self.now["light_side"]
        return np.array([np.sin(side) * np.cos(turn), np.sin(side) * np.sin(turn), np.cos(side)])

    @property
    def near(self) -> int:
        """The side turned to the viewer: 1 for the right of the picture, -1 for the left."""
        return -1 if self.now["yaw"] > 0 else 1

    @property
    def tip(self) -> float:
        """Height of the nose's tip."""
        return self.traits["eye_height"] + 0.04 + self.traits["nose_length"]

    @property
    def mouth(self) -> float:
        """Height of the mouth at rest."""
        return self.tip + self.traits["mouth_height"] * (self.traits["face_height"] - self.tip)
