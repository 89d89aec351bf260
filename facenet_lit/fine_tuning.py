"""Starting from weights of a file: nobody that they were trained on may be validated or tested on."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from facenet_lit.batch import IntArray
from facenet_lit.checkpoint import ModelCard
from facenet_lit.data.audit import find_trained_people, find_trained_pictures, refuse
from facenet_lit.data.datamodule import FaceDataModule

ADVICE = "start from weights that have not seen them (model.weights), split otherwise (data.split_seed)"


def refuse_people(known: ModelCard, data: FaceDataModule) -> None:
    """Stops a run whose weights were trained on people of ``val`` or ``test``, by their names.

    Args:
        known: the card that came with the weights.
        data: the run's data, its pictures not needed yet.

    Raises:
        LeakError: they were, and leaks are not allowed.
    """
    source = data.source
    names = [source.names[i] for i in np.unique(source.identities[_judged(data.listed.parts)])]
    refuse(find_trained_people(known.trained_identities.numpy(), names), data.allow_leak, ADVICE)


def refuse_pictures(known: ModelCard, data: FaceDataModule) -> None:
    """The same for pictures, by their content under any name; the data is set up.

    Raises:
        LeakError: they were, and leaks are not allowed.
    """
    numbers = _judged(data.parts)
    files = [data.faces.files[number] for number in numbers]
    trained, pictures = known.trained_pictures.numpy(), data.faces.fingerprints[numbers]
    refuse(find_trained_pictures(trained, files, pictures), data.allow_leak, ADVICE)


def take_over(known: ModelCard, card: ModelCard) -> None:
    """Puts who a card knows, and what pixels are normalised by, into the card of the run that goes on from it."""
    card.mean, card.std = known.mean, known.std
    card.trained_identities = _joined(card.trained_identities, known.trained_identities)
    card.trained_pictures = _joined(card.trained_pictures, known.trained_pictures)


def _judged(parts: dict[str, IntArray]) -> IntArray:
    return np.concatenate([parts["val"], parts["test"]])


def _joined(one: Tensor, other: Tensor) -> Tensor:
    joined: Tensor = torch.cat([one, other]).unique(dim=0)
    return joined
