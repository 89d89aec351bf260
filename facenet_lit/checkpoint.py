"""What a checkpoint says of its embedder: how to build it, what it eats, what it was trained on.

Plain numbers, strings, lists and tensors, so that ``torch.load(weights_only=True)`` reads it. The network
is rebuilt through the closed table of backbones; nothing is imported by a name from the file.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from facenet_lit.backbones import build_backbone
from facenet_lit.backbones.embedder import Embedder
from facenet_lit.errors import UserError

log = logging.getLogger(__name__)

KEY = "facenet_lit"
VERSION = 1


@dataclass
class ModelCard:
    """Everything but the weights.

    Attributes:
        backbone: name in the table of backbones.
        arguments: the backbone's arguments.
        embedding_size: D.
        mean: what each channel of x / 255 is normalised by.
        std: likewise.
        head: what follows the backbone, see ``Embedder``.
        dropout: share of the features that training leaves out.
        mirror: evaluate on a picture and its mirror image together, see ``Embedder``.
        per_image: pictures are normalised by their own mean and deviation, see ``Embedder``.
        output: what the loss got in training, see ``Embedder``.
        data: the data settings of the run, as plain values.
        precision: arithmetic of the run, ``32``, ``bf16`` or ``64``.
        threshold: distance below which a listed pair is called genuine, chosen on ``val``; None before
            the first validation.
        trained_identities: (I, 32) uint8 SHA-256 digests of the training identities' names.
        trained_pictures: (M, 32) uint8 SHA-256 digests of the training pictures.
    """

    backbone: str
    arguments: dict[str, Any]
    embedding_size: int
    mean: list[float]
    std: list[float]
    head: str = "batchnorm"
    dropout: float = 0.0
    mirror: bool = False
    per_image: bool = False
    output: str = "l2"
    data: dict[str, Any] = field(default_factory=dict)
    precision: str = "32"
    threshold: float | None = None
    trained_identities: Tensor = field(default_factory=lambda: torch.empty(0, 32, dtype=torch.uint8))
    trained_pictures: Tensor = field(default_factory=lambda: torch.empty(0, 32, dtype=torch.uint8))

    def build(self, freeze: bool = False) -> Embedder:
        """A new embedder, its weights drawn at random.

        Args:
            freeze: see ``Embedder``.

        Raises:
            UserError: the backbone or an argument of it is unknown.
        """
        backbone = build_backbone(self.backbone, **self.arguments)
        return Embedder(
            backbone,
            self.embedding_size,
            self.mean,
            self.std,
            head=self.head,
            dropout=self.dropout,
            mirror=self.mirror,
            per_image=self.per_image,
            freeze=freeze,
            output=self.output,
        )

    def save(self, checkpoint: dict[str, Any]) -> None:
        """Puts the card into a checkpoint."""
        checkpoint[KEY] = {"version": VERSION, **asdict(self)}


def read_checkpoint(path: Path | str) -> dict[str, Any]:
    """A checkpoint as plain values.

    Raises:
        UserError: it is not there, not whole, or not one of ours.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise UserError(f"checkpoint={path}: no such file; expected a best.ckpt or last.ckpt of a run")
    try:
        checkpoint = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        # torch.load has no error of its own: a cut file, a foreign pickle and a text all end differently,
        # and it advises to load the file with less care.
        raise UserError(
            f"checkpoint={path}: can't be read; it is damaged, or holds more than plain values; "
            "expected best.ckpt or last.ckpt of a run"
        ) from error
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get(KEY), dict):
        raise UserError(
            f"checkpoint={path}: not a checkpoint of facenet_lit; expected best.ckpt or last.ckpt of a run"
        )
    return checkpoint


def newest_whole(paths: Iterable[Path]) -> Path | None:
    """Of these checkpoints the one of the latest step; those that can't be read are passed over with a warning."""
    steps = {}
    for path in paths:
        if path.is_file():
            try:
                steps[path] = int(read_checkpoint(path)["global_step"])
            except UserError as error:
                log.warning("%s; passed over", error)
    return max(steps, key=steps.__getitem__, default=None)


def read_card(checkpoint: dict[str, Any]) -> ModelCard:
    """The card in a checkpoint.

    Raises:
        UserError: it was written in another version of the format, or lacks something.
    """
    values = dict(checkpoint[KEY])
    version = values.pop("version", None)
    if version != VERSION:
        raise UserError(f"checkpoint: written in version {version} of the format, expected {VERSION}")
    known = {entry.name: entry.default is MISSING is entry.default_factory for entry in fields(ModelCard)}
    odd = [name for name in values if name not in known]
    odd += [name for name, needed in known.items() if needed and name not in values]
    if odd:
        raise UserError(f"checkpoint: its card does not fit this version of facenet_lit: {', '.join(odd)}")
    return ModelCard(**values)


def embedder_weights(checkpoint: dict[str, Any]) -> dict[str, Tensor]:
    """The embedder's tensors in a checkpoint, by their names in its ``state_dict``; none where there are none."""
    prefix, state = "embedder.", checkpoint.get("state_dict", {})
    return {name[len(prefix) :]: weight for name, weight in state.items() if name.startswith(prefix)}


def load_embedder(path: Path | str) -> Embedder:
    """The embedder of a checkpoint, ready to embed.

    Args:
        path: best.ckpt or last.ckpt of a run.

    Returns:
        A network in evaluation mode: (N, 3, H, W) uint8 RGB in, (N, D) unit vectors out.

    Raises:
        UserError: it can't be read.
    """
    checkpoint = read_checkpoint(path)
    card = read_card(checkpoint)
    embedder = card.build()
    if card.precision == "64":
        embedder.double()
    try:
        embedder.load_state_dict(embedder_weights(checkpoint))
    except RuntimeError as error:  # of several lines, one for each weight
        first = str(error).splitlines()[1].strip()
        raise UserError(f"checkpoint={path}: its weights do not fit its card: {first}") from error
    return embedder.eval()
