"""Weights from a file, to start from instead of random ones."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from facenet_lit.backbones.embedder import Embedder
from facenet_lit.backbones.timm_network import TimmNetwork
from facenet_lit.checkpoint import KEY, ModelCard, embedder_weights, read_card
from facenet_lit.errors import UserError

log = logging.getLogger(__name__)

# What published files hold beside the backbone: the classifier that it was trained with.
CLASSIFIERS = ("logits.",)

SHOWN = 3  # names of a kind in a message


class Weights(NamedTuple):
    """What a file holds.

    Attributes:
        path: the file.
        tensors: by the names of an embedder's ``state_dict``: all of it, or the backbone's.
        card: a checkpoint's card, which tells who it was trained on; None of a plain file.
    """

    path: Path
    tensors: dict[str, Tensor]
    card: ModelCard | None


def read_weights(path: Path | str) -> Weights:
    """Reads a checkpoint of ours, or a plain file of a backbone's weights.

    Args:
        path: best.ckpt or last.ckpt of a run, or what ``torch.save(backbone.state_dict(), path)`` wrote; of
            timm's architectures that of timm's own network too.

    Raises:
        UserError: it is not there, or holds anything but tensors and plain values.
    """
    if not isinstance(path, (str, Path)) or not Path(path).expanduser().is_file():
        raise UserError(
            f"model.weights={path}: no such file; expected a checkpoint, or weights of a backbone"
        )
    path = Path(path).expanduser()
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load has no error of its own
        raise UserError(
            f"model.weights={path}: can't be read; it is damaged, or holds more than plain values"
        ) from error
    if isinstance(found, dict) and isinstance(found.get(KEY), dict):
        return Weights(path, embedder_weights(found), _card(path, found))
    if not isinstance(found, Mapping) or not all(
        isinstance(name, str) and isinstance(weight, Tensor) for name, weight in found.items()
    ):
        raise UserError(f"model.weights={path}: expected a checkpoint, or tensors by name")
    log.warning("model.weights=%s: does not say who it was trained on, so leaks from there stay unseen", path)
    kept = {f"backbone.{name}": weight for name, weight in found.items() if not name.startswith(CLASSIFIERS)}
    return Weights(path, kept, None)


def refuse_other_network(
    weights: Weights, backbone: str, arguments: Mapping[str, Any], normalize: str
) -> None:
    """Checks what names and shapes do not tell: that the card says the same network, and the same input.

    Raises:
        UserError: it does not.
    """
    card = weights.card
    if card is None:
        return
    pairs = {"model.backbone": (card.backbone, backbone)}
    pairs |= {
        f"model.arguments.{k}": (card.arguments[k], v) for k, v in arguments.items() if k in card.arguments
    }
    pairs["data.normalize"] = (card.data.get("normalize", normalize), normalize)
    for name, (trained, wanted) in pairs.items():
        if trained != wanted:
            raise UserError(
                f"model.weights={weights.path}: was trained with {name}={trained}, not {wanted}; say so"
            )


def refuse_misfits(embedder: Embedder, weights: Weights) -> None:
    """Checks names and shapes; the embedder may be on the meta device.

    Raises:
        UserError: they are not those of the network.
    """
    tensors = _named_as_in(embedder, weights)
    # Without head and normalisation where the file has none.
    parts = {name.split(".")[0] for name in tensors}
    own = {name: weight for name, weight in embedder.state_dict().items() if name.split(".")[0] in parts}
    lacking = [name for name in own if name not in tensors]
    foreign = [name for name in tensors if name not in own]
    other = [
        f"{name} of {_shape(weight)}, not {_shape(own[name])}"
        for name, weight in tensors.items()
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
    """Puts them into the embedder; a head or normalisation that the file does not have stays as it is.

    Raises:
        UserError: they do not fit.
    """
    refuse_misfits(embedder, weights)
    embedder.load_state_dict(_named_as_in(embedder, weights), strict=False)


def _named_as_in(embedder: Embedder, weights: Weights) -> dict[str, Tensor]:
    """The tensors by the embedder's names, where a plain file may have those of timm."""
    backbone = embedder.backbone
    if weights.card is not None or not isinstance(backbone, TimmNetwork):
        return weights.tensors
    plain = {name.removeprefix("backbone."): weight for name, weight in weights.tensors.items()}
    return {f"backbone.{name}": weight for name, weight in backbone.named_here(plain).items()}


def _card(path: Path, checkpoint: dict[str, Any]) -> ModelCard:
    try:
        return read_card(checkpoint)
    except UserError as error:
        raise UserError(f"model.weights={path}: {error}") from error


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _shape(weight: Tensor) -> str:
    return "x".join(map(str, weight.shape)) or "one number"
