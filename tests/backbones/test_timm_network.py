from __future__ import annotations

import sys

import pytest
import torch

from facenet_lit.backbones.timm_network import TimmNetwork
from facenet_lit.errors import UserError

timm = pytest.importorskip("timm")


@pytest.mark.parametrize("architecture", ["test_resnet", "test_convnext", "mobilenetv3_small_050"])
def test_features_are_those_of_timm(architecture: str) -> None:
    torch.manual_seed(0)
    network = TimmNetwork(architecture).eval()
    images = torch.randn(2, 3, 96, 96)
    reference = timm.create_model(architecture, pretrained=False, num_classes=0).eval()
    reference.load_state_dict(network.network.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(network(images), reference(images))
        assert network(images).shape == (2, network.features)
        with torch.autocast("cpu", torch.bfloat16):
            assert network(images).dtype == torch.float32


def test_an_unknown_architecture_gets_its_nearest_neighbour() -> None:
    with pytest.raises(
        UserError, match=r"^model\.arguments\.architecture=resnet81: unknown to timm, did you mean resnet1"
    ):
        TimmNetwork("resnet81")
    with pytest.raises(UserError, match=r"architecture=3: unknown to timm$"):
        TimmNetwork(3)


@pytest.mark.parametrize("architecture", ["crossvit_9_240", "efficientvim_m1"])
def test_what_has_several_maps_is_refused(architecture: str) -> None:
    with torch.device("meta"):
        network = TimmNetwork(architecture).eval()
        images = torch.empty(1, 3, 64, 64)
    with pytest.raises(
        UserError,
        match=rf"^model\.arguments\.architecture={architecture}: has several maps .*; choose another",
    ):
        network(images)


@pytest.mark.parametrize("architecture", ["test_resnet", "test_convnext", "efficientvit_b0", "volo_d1_224"])
def test_weights_of_timm_have_the_names_of_the_backbone(architecture: str) -> None:
    with torch.device("meta"):  # of a classifier of one layer, or several, and of two classifiers
        network, theirs = TimmNetwork(architecture), timm.create_model(architecture, pretrained=False)
    own = network.state_dict()
    found = network.named_here(theirs.state_dict())
    assert {name: weight.shape for name, weight in found.items()} == {
        name: weight.shape for name, weight in own.items()
    }
    assert network.named_here(own).keys() == own.keys()
    assert "network.typo" in network.named_here({**theirs.state_dict(), "typo": torch.zeros(1)})


def test_without_timm_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UserError, match=r"^model=timm: timm is not installed; pip install"):
        TimmNetwork()
