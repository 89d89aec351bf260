"""Augmentation of face crops by albumentations, one image at a time on the CPU.

Every row has a random state of its own, seeded by (seed, epoch, batch, row), so that an epoch's images are
the same on any number of processes and workers.
"""

from __future__ import annotations

import os
import random
from dataclasses import asdict, dataclass

# albumentations looks for a newer version over the network when it is imported, unless told not to.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A
import cv2
import numpy as np
import numpy.typing as npt

from facenet_lit.errors import check_number


@dataclass(frozen=True)
class Changes:
    """What is changed in a picture, how much and how often.

    Attributes:
        flip: probability of a mirror image.
        shift: largest shift, as a share of the side.
        scale: largest change of scale, as a share.
        rotate: largest angle in degrees.
        brightness: largest change of brightness, as a share of the range.
        contrast: largest change of contrast, as a share.
        saturation: largest change of saturation, as a share, in half of the images; hue changes by a tenth of it.
        grey: probability of a grey image.
        blur: probability of a slight blur.
        erase: probability of one erased box of 10 to 35% of the side.

    Raises:
        UserError: a probability or share is out of range.
    """

    flip: float = 0.0
    shift: float = 0.0
    scale: float = 0.0
    rotate: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    grey: float = 0.0
    blur: float = 0.0
    erase: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            check_number(f"augmentation.{name}", value, 0, 180 if name == "rotate" else 1)


class Augmentation:
    """Random flips, small affine moves, changes of light and colour, blur and erased boxes.

    Args:
        changes: how large and how frequent they are.
    """

    def __init__(self, changes: Changes) -> None:
        c = changes
        steps = [
            *([A.HorizontalFlip(p=c.flip)] if c.flip else []),
            *([_affine(c.shift, c.scale, c.rotate)] if c.shift or c.scale or c.rotate else []),
            *([_light(c.brightness, c.contrast)] if c.brightness or c.contrast else []),
            *([_colour(c.saturation)] if c.saturation else []),
            *([A.ToGray(p=c.grey)] if c.grey else []),
            *([A.GaussianBlur(blur_limit=(3, 5), p=c.blur)] if c.blur else []),
            *([_erased_box(c.erase)] if c.erase else []),
        ]
        self._compose = A.Compose(steps) if steps else None

    def __call__(
        self, images: npt.NDArray[np.uint8], seed: tuple[int, ...], first: int = 0
    ) -> npt.NDArray[np.uint8]:
        """Augments a batch.

        Args:
            images: (N, H, W, 3) uint8 RGB.
            seed: what the random states are seeded by, together with the row's number.
            first: number of the first row, where the images are the share of one process.

        Returns:
            (N, H, W, 3) uint8, a new array unless there is nothing to do.
        """
        if self._compose is None:
            return images
        augmented = np.empty_like(images)
        # Two words a row: one for NumPy's generator and one for Python's, albumentations draws from both.
        count = first + len(images)
        words = np.random.SeedSequence(seed).generate_state(2 * count, np.uint64).reshape(-1, 2)[first:]
        for row, image in enumerate(images):
            self._compose.set_random_state(
                np.random.Generator(np.random.PCG64(int(words[row, 0]))), random.Random(int(words[row, 1]))
            )
            augmented[row] = self._compose(image=image)["image"]
        return augmented


def _affine(shift: float, scale: float, rotate: float) -> A.BasicTransform:
    return A.Affine(
        translate_percent={"x": (-shift, shift), "y": (-shift, shift)},
        scale=(1 - scale, 1 + scale),
        rotate=(-rotate, rotate),
        border_mode=cv2.BORDER_REPLICATE,
        p=1.0,
    )


def _light(brightness: float, contrast: float) -> A.BasicTransform:
    return A.RandomBrightnessContrast((-brightness, brightness), (-contrast, contrast), p=1.0)


def _colour(saturation: float) -> A.BasicTransform:
    around, hue = (1 - saturation, 1 + saturation), saturation / 10
    return A.ColorJitter((1, 1), (1, 1), around, (-hue, hue), p=0.5)


def _erased_box(probability: float) -> A.BasicTransform:
    share = (0.1, 0.35)
    return A.CoarseDropout(
        num_holes_range=(1, 1),
        hole_height_range=share,
        hole_width_range=share,
        fill="random_uniform",
        p=probability,
    )
