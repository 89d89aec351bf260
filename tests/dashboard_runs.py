"""Runs whose dashboard is looked at: the pictures are drawn at each validation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from entry_points import TINY, Ended, begin
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from facenet_lit.callbacks import hardest_errors
from facenet_lit.checkpoint import load_embedder
from facenet_lit.data.splits import images_of, random_split
from facenet_lit.plots.picture_pairs import PicturePair
from facenet_lit.sources.packed import Pack, pack
from facenet_lit.sources.synthetic import SyntheticFaces
from facenet_lit.train import train

DRAWING = [
    *TINY,
    "data.identities=60",
    "metrics.fars=[0.1,0.01]",
    "callbacks.curves.share=1",
    "callbacks.errors.share=1",
    "callbacks.errors.count=5",
    "callbacks.projector.images=2000",
]


class DrawnErrors(NamedTuple):
    """What a picture of hardest errors was drawn of."""

    pairs: list[PicturePair]
    title: str
    about: str


class DashboardRun(NamedTuple):
    """A finished run, what it printed, and what its pictures of errors were drawn of."""

    folder: Path
    ended: Ended
    errors: list[DrawnErrors]

    @property
    def metrics(self) -> dict[str, float | None]:
        """Its metrics.json."""
        return dict(json.loads((self.folder / "metrics.json").read_text()))

    def embeddings(self, faces: Pack, numbers: np.ndarray) -> torch.Tensor:
        """Those that its best checkpoint gives images of a pack."""
        embedder = load_embedder(self.folder / "checkpoints/best.ckpt")
        images = torch.from_numpy(faces.images[numbers]).permute(0, 3, 1, 2)
        with torch.no_grad():
            return embedder(images)


def dashboard_run(folder: Path, *arguments: str) -> DashboardRun:
    """Trains with pictures."""
    drawn: list[DrawnErrors] = []
    draw = hardest_errors.draw_pairs

    def noted(pairs: Any, title: str, about: str) -> Any:
        drawn.append(DrawnErrors(list(pairs), title, about))
        return draw(pairs, title, about)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hardest_errors, "draw_pairs", noted)
        ended = begin(train, *DRAWING, f"hydra.run.dir={folder}", *arguments)
    return DashboardRun(folder, ended, drawn)


def drawn_faces() -> Pack:
    """The pictures of such a run."""
    return pack(SyntheticFaces(60, 3, seed=0), None, 64, None, progress=False)


def part_of(faces: Pack, part: str) -> np.ndarray:
    """Numbers of a part's images, by the default split."""
    return images_of(faces.identities, random_split(faces.identities, 0)[part])


def events_of(folder: Path) -> EventAccumulator:
    """What TensorBoard reads of a run, all of it."""
    return EventAccumulator(str(folder), {"images": 0, "scalars": 0, "tensors": 0}).Reload()
