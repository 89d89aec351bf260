"""Lets torchvision be imported beside a CPU-only torch.

PyPI's Linux build of torchvision is linked against CUDA. Beside a torch without CUDA its extension can't
be loaded, and ``import torchvision`` ends with "operator torchvision::nms does not exist" (and then
``torchvision::qnms``), because it registers fake kernels for operators that nobody declared. torchmetrics
and lightning import torchvision, so they end there too. Declaring the two schemas is all that is missing:
the operators themselves stay unavailable, and so does torchvision's image reading, and we use neither.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch

SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}

# A Library takes its declarations along when it is collected, so it is kept for the life of the process.
_libraries: list[torch.library.Library] = []


def _extension_loads() -> bool:
    """Whether torchvision's compiled operators can be loaded here (True where there is no torchvision)."""
    spec = importlib.util.find_spec("torchvision")  # finds without importing
    if spec is None or spec.origin is None:
        return True
    for library in Path(spec.origin).parent.glob("_C*"):
        try:
            torch.ops.load_library(str(library))
        except (OSError, ImportError):
            return False
    return True


def declare_missing_operators() -> None:
    """Declares torchvision's ``nms`` and ``qnms`` where its extension can't; does nothing where it can."""
    if _libraries or _extension_loads():
        return
    library = torch.library.Library("torchvision", "DEF")
    for schema in SCHEMAS.values():
        library.define(schema)
    _libraries.append(library)
