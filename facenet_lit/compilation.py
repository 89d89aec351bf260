"""torch.compile, as an option."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

from facenet_lit.backbones.embedder import Embedder
from facenet_lit.errors import UserError

_COMPILERS = ("g++", "clang++", "c++")


def check_compiler(wanted: bool, accelerator: str) -> None:
    """Refuses to compile where what it takes is not installed, before a picture is decoded.

    Args:
        wanted: ``trainer.compile``.
        accelerator: ``cpu`` or ``gpu``.

    Raises:
        UserError: there is no C++ compiler, or on a GPU no Triton.
    """
    if not wanted:
        return
    if accelerator == "gpu":
        if find_spec("triton") is None:
            raise UserError(
                "trainer.compile=true: expected the package triton; install it, or leave compile out"
            )
    elif "CXX" not in os.environ and not any(map(shutil.which, _COMPILERS)):
        raise UserError("trainer.compile=true: expected a C++ compiler; install g++, or leave compile out")


def compile_backbone(embedder: Embedder) -> None:
    """Compiles the backbone at its first calls, once for each size of the images; names of weights stay.

    The head and the L2 normalisation stay as they are: they run in full precision and take no time.
    """
    embedder.backbone.compile()  # type: ignore[no-untyped-call]
