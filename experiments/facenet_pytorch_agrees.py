"""Compares inception_resnet_v1 with the InceptionResnetV1 of the package facenet-pytorch.

    pip install requests
    pip install --no-deps facenet-pytorch     # its own bounds on torch and numpy are old
    python experiments/facenet_pytorch_agrees.py

The package's network is drawn at random, every BatchNorm included, its weights go into ours by their names, and both
embed the same random pixels: prints the largest difference of an embedding's numbers, and ends with 1 where it is
over 1e-5.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from torch import nn

from facenet_lit.backbones.embedder import Embedder
from facenet_lit.backbones.inception_resnet_v1 import InceptionResNetV1

SIZES = (80, 112, 160)
TOLERANCE = 1e-5


def draw_weights(network: nn.Module, seed: int) -> None:
    """Draws every BatchNorm's numbers too, that none of them could be left out."""
    random = torch.Generator().manual_seed(seed)
    for layer in network.modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.uniform_(layer.weight, 0.5, 1.5, generator=random)
            nn.init.normal_(layer.bias, generator=random)
            nn.init.normal_(layer.running_mean, generator=random)
            nn.init.uniform_(layer.running_var, 0.5, 1.5, generator=random)


@torch.no_grad()
def difference(reference: Callable[[torch.Tensor], torch.Tensor], embedder: Embedder, size: int) -> float:
    """The largest difference of two networks' embeddings of three random pictures, ``size`` pixels wide."""
    random = torch.Generator().manual_seed(size)
    images = torch.randint(0, 256, (3, 3, size, size), generator=random, dtype=torch.uint8)
    # facenet-pytorch's fixed_image_standardization differs from [-1, 1] by 1/256; any input serves here.
    return float((reference(images / 127.5 - 1) - embedder(images)).abs().max())


def main() -> None:
    """Prints a line for each size of pictures."""
    try:
        from facenet_pytorch.models.inception_resnet_v1 import InceptionResnetV1
    except ImportError as error:
        sys.exit(f"{error}: pip install requests, then pip install --no-deps facenet-pytorch")
    torch.manual_seed(0)
    reference = InceptionResnetV1().eval()
    draw_weights(reference, seed=0)
    backbone = InceptionResNetV1()
    backbone.load_state_dict(reference.state_dict())
    embedder = Embedder(backbone, 512, [0.5] * 3, [0.5] * 3, head="none").eval()
    found = {size: difference(reference, embedder, size) for size in SIZES}
    for size, largest in found.items():
        print(f"{size:4d} px: largest difference {largest:.1e}")
    if max(found.values()) > TOLERANCE:
        sys.exit(f"expected at most {TOLERANCE:.0e}")


if __name__ == "__main__":
    main()
