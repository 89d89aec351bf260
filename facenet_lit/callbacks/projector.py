"""Puts the embeddings of the best checkpoint into TensorBoard's projector, with thumbnails and identities."""

from __future__ import annotations

from pathlib import Path

import lightning as L
import numpy as np
import numpy.typing as npt

from facenet_lit import gathering
from facenet_lit.batch import IntArray, Rows
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.errors import check_integer
from facenet_lit.loggers.projector_files import write_projector
from facenet_lit.loggers.tensorboard_logger import RunLogger
from facenet_lit.preprocessing import crop_and_resize
from facenet_lit.sources.pack_files import Pack
from facenet_lit.verification_module import VerificationModule

MOST_PIXELS = 8192  # a side of what a browser takes as one picture


class Projector(L.Callback):
    """Writes the embeddings of ``val`` once the best checkpoint is scored on it.

    Args:
        images: most of them; of a larger part whole people are taken, drawn once; 0 for none.
        side: of a thumbnail, in pixels, 8 to 128.

    Raises:
        UserError: one is out of range, or the thumbnails would not fit into one picture.
    """

    def __init__(self, images: int, side: int) -> None:
        self.side = check_integer("callbacks.projector.side", side, 8, 128)
        most = (MOST_PIXELS // self.side) ** 2
        self.images = check_integer("callbacks.projector.images", images, 0, most)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Writes them, where training is over."""
        if trainer.state.fn != "validate" or gathering.rank() != gathering.FIRST or not self.images:
            return
        data: object = getattr(trainer, "datamodule", None)
        if isinstance(data, FaceDataModule) and isinstance(pl_module, VerificationModule):
            for logger in trainer.loggers:
                if isinstance(logger, RunLogger):
                    self._write(Path(logger.log_dir), pl_module.metric("val").collected(), data.faces)

    def _write(self, folder: Path, rows: Rows, faces: Pack) -> None:
        chosen = whole_people(rows.identities.numpy(), self.images)
        numbers = rows.numbers.numpy()[chosen]
        if not len(numbers):
            return
        labels = [(faces.names[faces.identities[number]], faces.files[number]) for number in numbers]
        # One by one: of large images all at once would be much.
        small = [crop_and_resize(faces.images[np.array([number])][0], None, self.side) for number in numbers]
        write_projector(folder, "val", rows.embeddings[chosen], labels, np.stack(small))


def whole_people(identities: IntArray, most: int) -> npt.NDArray[np.bool_]:
    """Which images are taken: all, or those of people drawn at random while there is room for all images of each.

    Args:
        identities: (N,) of each image.
        most: most images.
    """
    people, index, counts = np.unique(identities, return_inverse=True, return_counts=True)
    drawn = (
        np.random.default_rng(0).permutation(len(people))
        if len(identities) > most
        else np.arange(len(people))
    )
    fits = np.cumsum(counts[drawn]) <= most
    return np.isin(index, drawn[fits])
