import pytest
import torch

from facenet_lit.backbones.embedder import normalized, standardize
from facenet_lit.health.inputs import Inputs, inputs_of, pixel_sums
from facenet_lit.sources.synthetic import SyntheticFaces

FACES = torch.stack([torch.from_numpy(read()) for _, read in SyntheticFaces(8, 2, 64).pictures()]).permute(
    0, 3, 1, 2
)


def by(mean: float, std: float, faces: torch.Tensor = FACES) -> torch.Tensor:
    return normalized(faces, torch.full((3, 1, 1), mean), torch.full((3, 1, 1), std))


def test_sums_add_up_to_mean_and_deviation() -> None:
    pixels = by(0.5, 0.5)
    parts = torch.stack([pixel_sums(part) for part in pixels.split([3, 13])]).sum(0)
    found = inputs_of(parts)
    assert found.mean == pytest.approx(float(pixels.mean()), abs=1e-6)
    assert found.deviation == pytest.approx(float(pixels.std(correction=0)), abs=1e-6)


def test_an_even_picture_has_no_deviation() -> None:
    assert inputs_of(pixel_sums(torch.full((2, 3, 4, 4), 0.3))).deviation == pytest.approx(0, abs=1e-7)


def test_the_three_normalisations_pass_and_their_absence_does_not() -> None:
    colours = FACES.double() / 255
    half, none = by(0.5, 0.5), by(0.0, 1.0)
    dataset = by(float(colours.mean()), float(colours.std()))
    assert all(inputs_of(pixel_sums(pixels)).normalized for pixels in (half, dataset, standardize(none)))
    assert not inputs_of(pixel_sums(none)).normalized
    assert not inputs_of(pixel_sums(255 * none)).normalized  # divided by nothing
    assert not inputs_of(pixel_sums(none / 255)).normalized  # divided twice
    assert not inputs_of(pixel_sums(by(0.5, 0.5, FACES // 8))).normalized  # nearly black


def test_limits() -> None:
    assert Inputs(0.6, 0.5).normalized
    assert Inputs(-0.6, 0.5).normalized
    assert not Inputs(-0.7, 0.5).normalized
    assert not Inputs(0, 0.05).normalized
    assert not Inputs(0, 5).normalized
