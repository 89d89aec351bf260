"""Inception-ResNet-v1: facenet-pytorch's names and shapes; experiments/facenet_pytorch_agrees.py compares outputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import pytest
import torch
from torch.nn import functional as F

from facenet_lit.backbones.inception_resnet_v1 import InceptionResNetV1
from facenet_lit.errors import UserError

# Of every kind of layer one, as they are named in the published files.
NAMES = {
    "conv2d_1a.conv.weight": (32, 3, 3, 3),
    "conv2d_4b.bn.running_var": (256,),
    "repeat_1.0.branch0.conv.weight": (32, 256, 1, 1),
    "repeat_1.4.branch2.2.bn.bias": (32,),
    "repeat_1.2.conv2d.bias": (256,),
    "mixed_6a.branch0.conv.weight": (384, 256, 3, 3),
    "mixed_6a.branch1.2.conv.weight": (256, 192, 3, 3),
    "repeat_2.9.branch1.1.conv.weight": (128, 128, 1, 7),
    "repeat_2.9.branch1.2.conv.weight": (128, 128, 7, 1),
    "mixed_7a.branch2.1.bn.num_batches_tracked": (),
    "repeat_3.4.branch1.2.conv.weight": (192, 192, 3, 1),
    "block8.conv2d.weight": (1792, 384, 1, 1),
    "last_linear.weight": (512, 1792),
    "last_bn.running_mean": (512,),
}


# SHA-256 of all names and shapes, sorted, of facenet-pytorch 2.6.0's InceptionResnetV1 without its classifier.
ALL = "96a224d0c7b68fdbdad103dbd239346dc1d6f0662445c3c0cffce5c51e07ec21"


def digest(state: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of the names and shapes."""
    rows = sorted((name, list(weight.shape)) for name, weight in state.items())
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def test_names_and_shapes_are_those_of_the_published_weights() -> None:
    with torch.device("meta"):
        state = InceptionResNetV1().state_dict()
    assert {name: tuple(state[name].shape) for name in NAMES} == NAMES
    # 111 convolutions with BatchNorm of five tensors, 21 without but with a bias, and the layers at the end.
    assert len(state) == 111 * 6 + 21 * 2 + 1 + 5
    assert digest(state) == ALL


def test_the_digest_is_that_of_the_package() -> None:
    package = pytest.importorskip(
        "facenet_pytorch.models.inception_resnet_v1",
        reason="pip install requests, then pip install --no-deps facenet-pytorch",
        exc_type=ImportError,
    )
    with torch.device("meta"):
        state = package.InceptionResnetV1().state_dict()
    assert digest({name: weight for name, weight in state.items() if not name.startswith("logits.")}) == ALL


@pytest.mark.parametrize("size", [75, 96])
def test_it_learns_at_any_size_from_75(size: int) -> None:
    torch.manual_seed(0)
    network = InceptionResNetV1(16)
    features = network(torch.randn(2, 3, size, size))
    assert features.shape == (2, 16)
    F.mse_loss(features, torch.ones(2, 16)).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())


def test_smaller_pictures_are_refused() -> None:
    with pytest.raises(UserError, match=r"^data\.size=74: inception_resnet_v1 expects 75 or more"):
        InceptionResNetV1()(torch.zeros(2, 3, 74, 80))


def test_features_stay_float32_under_autocast() -> None:
    network = InceptionResNetV1(16).eval()
    with torch.autocast("cpu", torch.bfloat16):
        assert network(torch.randn(1, 3, 80, 80)).dtype == torch.float32


@pytest.mark.parametrize("features", [0, "wide"])
def test_bad_features_are_named(features: object) -> None:
    with pytest.raises(UserError, match=r"^model\.arguments\.features="):
        InceptionResNetV1(features)
