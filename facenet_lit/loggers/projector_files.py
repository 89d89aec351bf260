"""The files that TensorBoard's embedding projector reads: vectors, whose they are, and thumbnails."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from google.protobuf import text_format
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from torch import Tensor

from facenet_lit.png_file import write_png
from facenet_lit.preprocessing import Picture
from facenet_lit.run_folder import write_atomically

CONFIG = "projector_config.pbtxt"  # the name that TensorBoard looks for
TENSORS, METADATA, SPRITE = "projector/embeddings.tsv", "projector/images.tsv", "projector/thumbnails.png"


def write_projector(
    folder: Path, name: str, embeddings: Tensor, labels: Sequence[tuple[str, str]], thumbnails: Picture
) -> None:
    """Writes what the projector shows of a run, over what it showed before.

    Args:
        folder: the one with the run's event files.
        name: what the embeddings are of.
        embeddings: (N, D).
        labels: (N,) of each the identity and the picture's name.
        thumbnails: (N, S, S, 3) uint8 RGB.
    """
    vectors = io.StringIO()
    np.savetxt(vectors, embeddings.numpy(), fmt="%.6g", delimiter="\t")
    write_atomically(folder / TENSORS, vectors.getvalue())
    lines = ["identity\tpicture", *("\t".join(map(_in_a_cell, label)) for label in labels)]
    write_atomically(folder / METADATA, "\n".join(lines) + "\n")
    write_png(folder / SPRITE, sprite(thumbnails))
    config = ProjectorConfig()
    shown = config.embeddings.add(tensor_name=name, tensor_path=TENSORS, metadata_path=METADATA)
    shown.sprite.image_path = SPRITE
    shown.sprite.single_image_dim.extend([thumbnails.shape[2], thumbnails.shape[1]])
    # Last: what it names is there by then.
    write_atomically(folder / CONFIG, text_format.MessageToString(config))


def sprite(thumbnails: Picture) -> Picture:
    """Thumbnails (N, S, S, 3) row by row in the least square that holds them, (M * S, M * S, 3)."""
    count, side = thumbnails.shape[:2]
    across = math.ceil(math.sqrt(count))
    cells = np.zeros((across * across, *thumbnails.shape[1:]), np.uint8)
    cells[:count] = thumbnails
    rows = cells.reshape(across, across, side, side, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(rows.reshape(across * side, across * side, 3))


def _in_a_cell(name: str) -> str:
    """A name without what ends a cell or a line, and without bytes that are no UTF-8."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)
