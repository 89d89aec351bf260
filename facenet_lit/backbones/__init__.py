"""The networks: a closed table of backbones, and the embedder that puts head and L2 normalisation on one."""

from __future__ import annotations

import inspect
from typing import Any

from torch import nn

from facenet_lit.backbones.inception import Inception
from facenet_lit.backbones.inception_resnet_v1 import InceptionResNetV1
from facenet_lit.backbones.resnext import ResNeXt
from facenet_lit.backbones.timm_network import TimmNetwork
from facenet_lit.errors import UserError, check_choice

# Closed: a checkpoint names its backbone, and nothing is built from a path in a file.
BACKBONES: dict[str, type[nn.Module]] = {
    "resnext": ResNeXt,
    "inception": Inception,
    "inception_resnet_v1": InceptionResNetV1,
    "timm": TimmNetwork,
}


def build_backbone(name: str, **arguments: Any) -> nn.Module:
    """The backbone of that name, with its constructor's keyword arguments.

    It maps (N, 3, H, W) normalised images to (N, features), and has an attribute ``features``.

    Raises:
        UserError: no backbone or argument has that name, or a value is out of its range.
    """
    backbone = BACKBONES[check_choice("model.backbone", name, BACKBONES)]
    allowed = list(inspect.signature(backbone).parameters)
    for argument in arguments:
        if argument not in allowed:
            raise UserError(
                f"model.arguments.{argument}: unknown for {name}, expected one of {', '.join(allowed)}"
            )
    return backbone(**arguments)
