"""The comparison with facenet-pytorch notices a difference, and runs where that package is."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from facenet_lit.backbones.embedder import Embedder

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "experiments"))
import facenet_pytorch_agrees as script


class Means(nn.Module):
    """A network with one BatchNorm, of two features."""

    features = 2

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.norm(images).mean((2, 3))[:, :2]


def test_a_difference_is_the_largest_of_an_embedding_s_numbers() -> None:
    network = Means().eval()
    script.draw_weights(network, seed=0)
    embedder = Embedder(network, 2, [0.5] * 3, [0.5] * 3, head="none").eval()

    def reference(images: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(network(images))

    assert script.difference(reference, embedder, 8) < 1e-6
    off = script.difference(lambda images: reference(images) + torch.tensor([0.0, 0.25]), embedder, 8)
    assert off == pytest.approx(0.25, abs=1e-6)


def test_every_number_of_a_batchnorm_is_drawn() -> None:
    network = Means()
    plain = {name: value.clone() for name, value in network.state_dict().items()}
    script.draw_weights(network, seed=1)
    same = [name for name, value in network.state_dict().items() if torch.equal(value, plain[name])]
    assert same == ["norm.num_batches_tracked"]


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "facenet_pytorch", None)
    with pytest.raises(SystemExit, match="pip install --no-deps facenet-pytorch"):
        script.main()


def test_outputs_agree(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip(
        "facenet_pytorch.models.inception_resnet_v1",
        reason="pip install requests, then pip install --no-deps facenet-pytorch",
        exc_type=ImportError,
    )
    script.main()
    assert capsys.readouterr().out.count("largest difference") == 3
