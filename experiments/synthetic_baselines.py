"""Tells how far methods that learn nothing about faces come on the drawn ones.

    python experiments/synthetic_baselines.py [IDENTITIES IMAGES SIZE]

Of each method several variants are tried, and every one is printed: the balanced EER over all pairs of the test
part of data=synthetic (other identities than PCA was fitted on). A last line tells how fast the pictures are drawn.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt
import torch

from facenet_lit.batch import IntArray
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.errors import UserError
from facenet_lit.metrics.operating_points import eer
from facenet_lit.metrics.pair_scoring import score_all_pairs
from facenet_lit.sources.synthetic import SyntheticFaces

Features = npt.NDArray[np.float64]  # (N, D), a row per picture
Pictures = npt.NDArray[np.uint8]  # (N, S, S, 3)

COMPONENTS = (16, 128)
BINS = (4, 8, 16)

REPEATS = 5  # of the drawing that is timed
TIMED = 100  # pictures each time


def balanced_eer(features: Features, identities: IntArray) -> float:
    """Balanced EER of the Euclidean distances of the rows, each scaled to length 1."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    rows = torch.from_numpy(features / np.maximum(lengths, 1e-12))
    pairs = score_all_pairs(rows, torch.from_numpy(identities), torch.arange(len(rows)))
    found = eer(pairs, balanced=True)
    if found is None:
        raise ValueError("expected several identities of several images")
    return found.rate


def pixels(pictures: Pictures, side: int, grey: bool) -> Features:
    """Pixels of the pictures at a side, less each picture's mean."""
    small = [cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA) for picture in pictures]
    values = np.stack(small).astype(float)
    flat = (values.mean(axis=3) if grey else values).reshape(len(values), -1)
    return flat - flat.mean(axis=1, keepdims=True)


def principal(fitted_on: Features, features: Features, components: int, whiten: bool) -> Features:
    """Coordinates of the rows along the principal components of other rows."""
    mean = fitted_on.mean(axis=0)
    centred = fitted_on - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / (len(centred) - 1))  # ascending
    axes = axes[:, ::-1][:, :components]
    if whiten:
        axes = axes / np.sqrt(variances[::-1][:components])
    return (features - mean) @ axes


def histograms(pictures: Pictures, bins: int, joint: bool) -> Features:
    """Roots of the shares of colours, so that distances are Hellinger's: of all three channels, or of each."""
    cells = pictures.reshape(len(pictures), -1, 3).astype(np.int64) * bins // 256
    weights = np.array([bins * bins, bins, 1]) if joint else None
    index = cells @ weights if weights is not None else (cells + np.arange(3) * bins).reshape(len(cells), -1)
    size = bins**3 if joint else 3 * bins
    return np.sqrt(np.stack([np.bincount(row, minlength=size) for row in index]) / index.shape[1])


def methods(train: Pictures, test: Pictures) -> Iterator[tuple[str, str, Features]]:
    """Method, variant, and the features of the test pictures."""
    for side in (test.shape[1], 16):
        for grey in (False, True):
            variant = f"{side} x {side}, {'grey' if grey else 'colour'}"
            yield "raw pixels", variant, pixels(test, side, grey)
    for grey in (False, True):
        fitted_on, features = (pixels(part, 20, grey) for part in (train, test))
        for components in COMPONENTS:
            for whiten in (False, True):
                variant = f"{components}{' whitened' if whiten else ''}, {'grey' if grey else 'colour'}"
                yield "PCA", variant, principal(fitted_on, features, components, whiten)
    for bins in BINS:
        for joint in (True, False):
            variant = f"{bins} bins, {'channels together' if joint else 'each channel'}"
            yield "colour histogram", variant, histograms(test, bins, joint)


def drawing_speed(size: int) -> float:
    """Pictures drawn in a second of processor time, on one core: the median of a few repetitions.

    Args:
        size: side of a picture in pixels.
    """
    speeds = []
    for seed in range(REPEATS):
        start = time.process_time()
        for _, read in SyntheticFaces(TIMED, 1, size, seed).pictures():
            read()
        speeds.append(TIMED / (time.process_time() - start))
    return statistics.median(speeds)


def main(identities: int = 900, images: int = 8, size: int = 64) -> None:
    """Prints the table, and how fast pictures are drawn."""
    data = FaceDataModule(SyntheticFaces(identities, images, size), size=size)
    data.setup()
    train, test = (data.faces.images[data.parts[part]] for part in ("train", "test"))
    people = data.faces.identities[data.parts["test"]]
    print("| method | variant | EER |\n|---|---|---|")
    for method, variant, features in methods(train, test):
        print(f"| {method} | {variant} | {balanced_eer(features, people):.3f} |")
    print(
        f"\n{drawing_speed(size):.0f} images of {size} px are drawn in a second of processor time, on one core"
    )


if __name__ == "__main__":
    if len(sys.argv) not in (1, 4):
        sys.exit(__doc__)
    try:
        # What is no number is refused, by its setting's name, where it is used.
        main(*(int(text) if text.isdecimal() else text for text in sys.argv[1:]))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
