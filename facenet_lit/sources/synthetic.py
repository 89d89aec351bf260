"""Drawn faces: no files, any number of identities, the same pictures everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property, partial

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.errors import check_integer
from facenet_lit.preprocessing import Picture
from facenet_lit.sources.drawing.portrait import DRAWING_VERSION, draw_picture
from facenet_lit.sources.drawing.traits import draw_identity
from facenet_lit.sources.source import Read

# Below this eyes and mouth run into each other.
_LEAST_SIZE = 16


class SyntheticFaces:
    """Drawn faces, each a pure function of (seed, identity, image number).

    Image k of identity i is the same however many identities and images there are. An identity has a skull and
    jaw, eyes, brows, nose, mouth, ears, hair, beard, skin, irises and marks. A picture adds, whoever it is of,
    turn and place of the head, expression, direction and colour of the light, shadow, glasses and other things
    before the face, clothes, background, blur, noise and JPEG.

    Args:
        identities: number of identities.
        images: number of images of each.
        size: side of a picture in pixels.
        seed: another seed gives other identities.

    Raises:
        UserError: a value is out of range.
    """

    name = "synthetic"

    def __init__(self, identities: int = 900, images: int = 8, size: int = 64, seed: int = 0) -> None:
        self._identities = check_integer("data.identities", identities, 1)
        self._images = check_integer("data.images", images, 1)
        self._size = check_integer("data.size", size, _LEAST_SIZE)
        self._seed = check_integer("data.seed", seed, 0)

    @cached_property
    def names(self) -> Sequence[str]:
        """(K,) ``synthetic/<seed>/<number>``, by number."""
        return tuple(f"synthetic/{self._seed}/{identity}" for identity in range(self._identities))

    @cached_property
    def identities(self) -> IntArray:
        """(N,) index into ``names`` per image, ascending."""
        return np.repeat(np.arange(self._identities, dtype=np.int64), self._images)

    @cached_property
    def files(self) -> Sequence[str]:
        """(N,) ``synthetic/<seed>/<identity>/<image>`` per image."""
        return tuple(f"{name}/{image}" for name in self.names for image in range(self._images))

    @property
    def key(self) -> str:
        """Hash of the settings and the drawing's version."""
        settings = (self._identities, self._images, self._size, self._seed, DRAWING_VERSION)
        return hashlib.sha256(repr(settings).encode()).hexdigest()

    def pictures(self) -> Iterator[tuple[int, Read]]:
        """Every image by number, and a function that draws it."""
        for number in range(self._identities * self._images):
            yield number, partial(self._draw, *divmod(number, self._images))

    def _draw(self, identity: int, image: int) -> Picture:
        face = draw_identity(_generator(self._seed, identity))
        return draw_picture(face, _generator(self._seed, identity, image), self._size)


def _generator(seed: int, *key: int) -> np.random.Generator:
    # The key goes in as a spawn key, which keeps (identity,) and (identity, 0) apart; as plain entropy
    # they would be padded with zeros to the same.
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
