"""Images that grow: which side when, and what shrinking does to them."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from facenet_lit.errors import UserError
from facenet_lit.growth import STEP, Growth, shrunk


def test_sides_share_the_budget_until_the_images_are_whole() -> None:
    growth = Growth(96, 48, 0.75)
    sides = [growth(share) for share in (0.0, 0.24, 0.25, 0.49, 0.5, 0.74, 0.75, 1.0)]
    assert sides == [48, 48, 64, 64, 80, 80, 96, 96]


@given(st.integers(64, 200), st.integers(32, 200), st.floats(0, 1), st.floats(0, 1))
def test_sides_never_shrink_and_end_whole(size: int, start: int, until: float, share: float) -> None:
    growth = Growth(size, min(start, size), until)
    assert growth(1.0) == size
    assert growth.start <= growth(share / 2) <= growth(share) <= size
    assert growth(share) in {size, *range(growth.start, size, STEP)}


def test_without_a_start_images_are_whole() -> None:
    assert {Growth(80)(share) for share in (0.0, 0.3, 1.0)} == {80}


@pytest.mark.parametrize(
    ("start", "until", "named"),
    [
        (31, 0.5, "grow_from=31"),
        (97, 0.5, "grow_from=97"),
        (48.5, 0.5, "grow_from=48.5"),
        (48, 1.5, "grow_until=1.5"),
    ],
)
def test_bad_settings_are_named(start: object, until: float, named: str) -> None:
    with pytest.raises(UserError, match=rf"^trainer\.{named}: expected"):
        Growth(96, start, until)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
def test_halving_averages_as_a_loop_does(kind: torch.dtype) -> None:
    images = torch.randint(0, 256, (2, 3, 8, 8), generator=torch.Generator().manual_seed(0)).to(kind)
    small = shrunk(images, 4)
    # Whole numbers are rounded after rows and after columns.
    # An antialiased bilinear filter of two to one has weights 1, 3, 3, 1 over four pixels, inside the picture.
    weights = torch.tensor([1.0, 3, 3, 1]) / 8
    for row in (1, 2):
        for column in (1, 2):
            seen = images[:, :, 2 * row - 1 : 2 * row + 3, 2 * column - 1 : 2 * column + 3].double()
            wanted = (seen * weights[:, None] * weights).sum((2, 3))
            assert (small[:, :, row, column] - wanted).abs().max() <= (1 if kind == torch.uint8 else 1e-4)
    assert small.dtype == kind


def test_a_smooth_picture_is_what_opencv_makes_of_it() -> None:
    y, x = np.mgrid[:96, :96] / 96
    picture = np.stack([255 * x, 255 * y, 255 * x * y], 2).astype(np.uint8)
    mine = shrunk(torch.from_numpy(picture).permute(2, 0, 1)[None], 48)[0].permute(1, 2, 0).numpy()
    assert np.abs(mine.astype(int) - cv2.resize(picture, (48, 48), interpolation=cv2.INTER_AREA)).max() <= 2


def test_images_at_their_own_side_are_left_alone() -> None:
    images = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    assert shrunk(images, 64) is images


def test_each_image_by_itself() -> None:
    images = torch.randint(0, 256, (5, 3, 80, 80), dtype=torch.uint8)
    torch.testing.assert_close(shrunk(images, 48)[2:], shrunk(images[2:], 48), rtol=0, atol=0)
    assert F.interpolate(images, (48, 48)).shape == shrunk(images, 48).shape
