"""Weights from a file, to start from instead of random ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from facenet_lit.backbones.embedder import Embedder
from facenet_lit.checkpoint import KEY, read_card
from facenet_lit.errors import UserError

# What published files hold beside the backbone: the classifier that it was trained with.
CLASSIFIERS = ("logits.",)

SHOWN = 3  # names of a kind in a message


class Weights(NamedTuple):
    """What a file holds.

    Attributes:
        path: the file.
        tensors: by the names of an embedder's ``state_dict``: the backbone's, and the head's if it is there.
        trained_identities: (I, 32) uint8 fingerprints of who it was trained on, where that is known.
        trained_pictures: (M, 32) uint8 likewise of the pictures.
    """

    path: Path
    tensors: dict[str, Tensor]
    trained_identities: Tensor
    trained_pictures: Tensor


def read_weights(path: Path | str) -> Weights:
    """Reads a checkpoint of ours, or a plain file of a backbone's weights.

    Args:
        path: best.ckpt or last.ckpt of a run, or what ``torch.save(backbone.state_dict(), path)`` wrote.

    Raises:
        UserError: it is not there, or holds anything but tensors and plain values.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(
            f"model.weights={path}: no such file; expected a checkpoint, or weights of a backbone"
        )
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load has no error of its own
        raise UserError(
            f"model.weights={path}: can't be read; it is damaged, or holds more than plain values"
        ) from error
    nobody = torch.empty(0, 32, dtype=torch.uint8)
    if isinstance(found, dict) and isinstance(found.get(KEY), dict):
        card = read_card(found)
        tensors = {name.removeprefix("embedder."): weight for name, weight in found["state_dict"].items()}
        tensors = {
            name: weight for name, weight in tensors.items() if name.startswith(("backbone.", "head."))
        }
        return Weights(path, tensors, card.trained_identities, card.trained_pictures)
    if not isinstance(found, Mapping) or not all(isinstance(weight, Tensor) for weight in found.values()):
        raise UserError(f"model.weights={path}: expected a checkpoint, or tensors by name")
    plain = {f"backbone.{name}": weight for name, weight in found.items() if not name.startswith(CLASSIFIERS)}
    return Weights(path, plain, nobody, nobody)


def refuse_misfits(embedder: Embedder, weights: Weights) -> None:
    """Checks names and shapes; the embedder may be on the meta device.

    Raises:
        UserError: they are not those of the network.
    """
    parts = {name.split(".")[0] for name in weights.tensors}  # without the head where the file has none
    own = {name: weight for name, weight in embedder.state_dict().items() if name.split(".")[0] in parts}
    lacking = [name for name in own if name not in weights.tensors]
    foreign = [name for name in weights.tensors if name not in own]
    other = [
        f"{name} of {_shape(weight)}, not {_shape(own[name])}"
        for name, weight in weights.tensors.items()
        if name in own and weight.shape != own[name].shape
    ]
    kinds = {"lacks": lacking, "has besides": foreign, "differs in": other}
    if any(kinds.values()) or "backbone" not in parts:
        told = "; ".join(f"{kind} {_some(names)}" for kind, names in kinds.items() if names)
        raise UserError(
            f"model.weights={weights.path}: does not fit this network: {told or 'holds no backbone'}; "
            "set model and model.arguments as it was trained"
        )


def load_weights(embedder: Embedder, weights: Weights) -> None:
    """Puts them into the embedder; a head that the file does not have stays as it is.

    Raises:
        UserError: they do not fit.
    """
    refuse_misfits(embedder, weights)
    embedder.load_state_dict(weights.tensors, strict=False)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _shape(weight: Tensor) -> str:
    return "x".join(map(str, weight.shape)) or "one number"
