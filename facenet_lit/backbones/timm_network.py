"""Any architecture of timm as a backbone."""

from __future__ import annotations

import difflib
from typing import Any

from torch import Tensor, nn

from facenet_lit.backbones.layers import full_precision
from facenet_lit.errors import UserError
from facenet_lit.precision import in_full


class TimmNetwork(nn.Module):
    """A network of timm up to its pooled features, its weights drawn at random.

    timm is an extra: ``pip install -e ".[timm]"``. Nothing is downloaded; weights come by ``model.weights``.

    Args:
        architecture: timm's name of it, such as ``resnet18``.

    Attributes:
        features: channels of the output.

    Raises:
        UserError: timm is not installed, or does not know the architecture.
    """

    def __init__(self, architecture: str = "resnet18") -> None:
        super().__init__()
        timm = _timm()
        if architecture not in timm.list_models():
            near = difflib.get_close_matches(str(architecture), timm.list_models(), 1)
            hint = f", did you mean {near[0]}?" if near else ""
            raise UserError(f"model.arguments.architecture={architecture}: unknown to timm{hint}")
        self.network = timm.create_model(architecture, pretrained=False, num_classes=0)
        self.features = int(self.network.head_hidden_size)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) normalised images to (N, features) float32."""
        maps = self.network.forward_features(images)
        # Pooled in float32: autocast would round the averages to 8 bits.
        with full_precision(images.device.type):
            features: Tensor = self.network.forward_head(in_full(maps), pre_logits=True)
        return features


def _timm() -> Any:
    try:
        import timm  # here: it is an extra, and slow to import
    except ImportError as error:
        raise UserError('model=timm: timm is not installed; pip install -e ".[timm]"') from error
    return timm
