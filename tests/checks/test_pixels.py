import numpy as np
import pytest
import torch

from facenet_lit.backbones import build_backbone
from facenet_lit.backbones.embedder import Embedder
from facenet_lit.checks.finding import Verdict
from facenet_lit.checks.pixels import BINS, check_pixels, describe_pixels, inputs_of_channels
from facenet_lit.health.causes import Circumstances
from facenet_lit.health.inputs import inputs_of, pixel_sums

RUN = Circumstances(1e-3, True, True, None)
RAW = RUN._replace(centred=False)


def faces(low: int = 0, high: int = 256) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(low, high, (6, 3, 64, 64), dtype=np.uint8))


def embedder(mean: float, std: float, per_image: bool = False) -> Embedder:
    network = build_backbone("resnext", depths=[1], cardinality=1, group_width=4, width=8, expansion=1)
    return Embedder(network, 4, [mean] * 3, [std] * 3, per_image=per_image)


def test_figures_are_those_of_the_pixels_written_out() -> None:
    images = faces()
    told = describe_pixels(embedder(0.5, 0.25).pixels(images))
    expected = (images.numpy() / 255 - 0.5) / 0.25
    for channel in range(3):
        values = expected[:, channel]
        assert told.mean[channel] == pytest.approx(values.mean(), abs=1e-5)
        assert told.std[channel] == pytest.approx(values.std(), abs=1e-5)
        assert told.low[channel] == pytest.approx(values.min(), abs=1e-5)
        assert told.high[channel] == pytest.approx(values.max(), abs=1e-5)
        assert sum(told.heights[channel]) == pytest.approx(1)
    assert len(told.edges) == BINS + 1


def test_what_a_backbone_gets_is_what_is_looked_at() -> None:
    network, images, seen = embedder(0.4, 0.3, per_image=True).eval(), faces(), []
    network.backbone.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    network(images)
    torch.testing.assert_close(network.pixels(images), seen[0])


def test_the_inputs_are_those_that_embedding_health_looks_at() -> None:
    pixels = embedder(0.4, 0.3).pixels(faces() * torch.tensor([1, 1, 0], dtype=torch.uint8)[:, None, None])
    found, expected = inputs_of_channels(describe_pixels(pixels)), inputs_of(pixel_sums(pixels))
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("mean", "std", "per_image", "verdict"),
    [
        (0.5, 0.5, False, Verdict.OK),
        (0.0, 1.0, True, Verdict.OK),
        (0.0, 1.0, False, Verdict.LOOK),  # data.normalize=none
        (0.0, 1 / 255, False, Verdict.LOOK),  # whole levels
        (0.5, 50.0, False, Verdict.LOOK),
    ],
)
def test_verdicts(mean: float, std: float, per_image: bool, verdict: Verdict) -> None:
    pixels = describe_pixels(embedder(mean, std, per_image).pixels(faces()))
    assert check_pixels(pixels, "some", 6, RUN).verdict is verdict


def test_pixels_that_are_not_normalised_are_told_in_a_sentence() -> None:
    found = check_pixels(describe_pixels(embedder(0, 1).pixels(faces())), "none", 6, RAW)
    assert "The network's inputs are not normalised (mean 0.4994, deviation 0.29" in found.said
    assert found.said.endswith(" They lie in 0.00 to 1.00.")
    assert found.advice.startswith(
        "check in this order:\n  1. pixels are not brought around 0: data.normalize=half"
    )
    dark = check_pixels(describe_pixels(embedder(0.5, 0.5).pixels(faces(0, 20))), "half", 6, RUN)
    assert "1. the pictures are very dark, bright or even" in dark.advice


def test_pictures_that_show_nothing_stop() -> None:
    found = check_pixels(describe_pixels(torch.zeros(2, 3, 4, 4)), "image", 2, RUN)
    assert found.verdict is Verdict.STOP
    assert found.table[1] == ("red", "0.00", "0.00", "0.00", "0.00")
