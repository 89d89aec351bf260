import numpy as np
import pytest

from facenet_lit.data import pixel_statistics as module
from facenet_lit.data.pixel_statistics import NORMALIZATIONS, pixel_statistics

IMAGES = np.random.default_rng(0).integers(0, 256, (9, 4, 4, 3), dtype=np.uint8)


@pytest.mark.parametrize("chunk", [2, 1024])
def test_of_the_data_set_over_the_chosen_images(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    chosen = np.array([1, 2, 5, 7, 8])
    mean, deviation = pixel_statistics(IMAGES, chosen, "dataset")
    assert mean == pytest.approx((IMAGES[chosen] / 255).mean((0, 1, 2)))
    assert deviation == pytest.approx((IMAGES[chosen] / 255).std((0, 1, 2)))


def test_one_colour_has_a_deviation_that_can_be_divided_by() -> None:
    assert min(pixel_statistics(np.zeros_like(IMAGES), np.arange(9), "dataset")[1]) > 0


def test_ranges() -> None:
    ends = {}
    for name in NORMALIZATIONS[:2]:
        mean, deviation = pixel_statistics(IMAGES, np.arange(9), name)
        ends[name] = [(x - m) / d for x in (0, 1) for m, d in zip(mean[:1], deviation[:1], strict=True)]
    assert ends == {"none": [0, 1], "half": [-1, 1]}
