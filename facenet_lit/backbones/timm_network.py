"""Most architectures of timm as a backbone."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
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
        UserError: timm is not installed, or does not know the architecture; or, at the first images, it has no
            single map of features.
    """

    def __init__(self, architecture: str = "resnet18") -> None:
        super().__init__()
        timm = _timm()
        if architecture not in timm.list_models():
            near = difflib.get_close_matches(str(architecture), timm.list_models(), 1)
            hint = f", did you mean {near[0]}?" if near else ""
            raise UserError(f"model.arguments.architecture={architecture}: unknown to timm{hint}")
        self.architecture = architecture
        self.network = timm.create_model(architecture, pretrained=False, num_classes=0)
        self.features = int(self.network.head_hidden_size)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) normalised images to (N, features) float32."""
        maps = self.network.forward_features(images)
        if not isinstance(maps, Tensor):  # such as those of several sizes of patches
            raise UserError(
                f"model.arguments.architecture={self.architecture}: has several maps of features, where one is "
                "expected; choose another, such as resnet18"
            )
        # Pooled in float32: autocast would round the averages to 8 bits.
        with full_precision(images.device.type):
            features: Tensor = self.network.forward_head(in_full(maps), pre_logits=True)
        return features

    def named_here(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A file's weights by the names of this backbone's ``state_dict``.

        Args:
            weights: this backbone's, or those of timm's own network, whose classifier is left out.
        """
        if all(name.startswith("network.") for name in weights):
            return dict(weights)
        classifiers = self.network.pretrained_cfg.get("classifier") or ()
        classifiers = (classifiers,) if isinstance(classifiers, str) else classifiers
        # A classifier may have more layers than the one that timm names: they are all in the module around it.
        heads = tuple(f"{name.split('.')[0]}." for name in classifiers)
        own = self.network.state_dict()
        kept = [name for name in weights if name in own or not name.startswith(heads)]
        return {f"network.{name}": weights[name] for name in kept}


def _timm() -> Any:
    try:
        import timm  # here: it is an extra, and slow to import
    except ImportError as error:
        raise UserError('model=timm: timm is not installed; pip install -e ".[timm]"') from error
    return timm
