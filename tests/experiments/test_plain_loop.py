"""The usual way, with a small network in the place of facenet-pytorch's: it trains, and is scored by our figures."""

import plain_loop
import torch
from torch import nn

from facenet_lit.building import build_data
from facenet_lit.composing import Composer
from facenet_lit.config_dir import config_dir


class Small(nn.Module):
    """Means of a grid of pixels, and a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.AdaptiveAvgPool2d(8), nn.Flatten(), nn.Linear(192, 16))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(self.layers(images), dim=1)


def test_it_learns_and_keeps_weights_by_seconds(monkeypatch) -> None:
    monkeypatch.setattr(plain_loop, "ROWS", 16)
    config = Composer(config_dir(), "train").compose(["data=synthetic_tiny"])
    data = build_data(config.data)
    data.setup()
    train, test = (plain_loop.Pictures(data, part, train=part == "train") for part in ("train", "test"))
    image, person = test[0]
    number = int(data.parts["test"][0])
    assert torch.equal(
        image, (torch.from_numpy(data.faces.images[number].copy()).permute(2, 0, 1).float() - 127.5) / 128
    )
    assert person == data.faces.identities[number]
    torch.manual_seed(0)
    network = Small()
    before = plain_loop.scored(network, test)
    kept = list(plain_loop.trained(network, train, seconds=1.0, every=0.5))
    assert [round(seconds, 1) >= due for (seconds, _, _), due in zip(kept, (0.5, 1.0), strict=True)] == [
        True,
        True,
    ]
    assert 0 < kept[0][1] < kept[1][1]
    assert any(not torch.equal(kept[0][2][name], kept[1][2][name]) for name in kept[0][2])
    after = plain_loop.scored(network, test)
    assert before.keys() == after.keys()
    assert 0 <= after["eer_balanced"] <= 1
