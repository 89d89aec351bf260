import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_augmentation import STRONG

from facenet_lit.data.augmentation import Augmentation, Changes
from facenet_lit.data.batched_augmentation import BatchedAugmentation, augmentation_of
from facenet_lit.errors import UserError


def pictures(count: int = 6, size: int = 64) -> torch.Tensor:
    """Smooth ones, which interpolations agree on."""
    noise = np.random.default_rng(0).integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    smooth = [cv2.resize(picture, (size, size), interpolation=cv2.INTER_CUBIC) for picture in noise]
    return torch.from_numpy(np.stack(smooth)).permute(0, 3, 1, 2)


def changed(images: torch.Tensor, seed: tuple[int, ...] = (0,), **changes: float) -> torch.Tensor:
    return BatchedAugmentation(Changes(**changes))(images, seed)


def test_nothing_to_do_changes_nothing() -> None:
    assert torch.equal(changed(pictures()), pictures().float())


@pytest.mark.parametrize("name", STRONG)
def test_each_setting_changes_pictures_within_their_range(name: str) -> None:
    images = pictures(24)
    result = changed(images, **{name: STRONG[name]})
    assert result.shape == images.shape
    assert (result - images).abs().max() > 2
    assert 0 <= result.min() <= result.max() <= 255


@settings(max_examples=20, deadline=None)
@given(first=st.integers(0, 7), last=st.integers(0, 7), seed=st.integers(0, 2**31))
def test_a_row_is_changed_alike_in_any_share_of_its_batch(first: int, last: int, seed: int) -> None:
    first, last = min(first, last), max(first, last) + 1
    images = pictures(8, 32)
    augmentation = BatchedAugmentation(Changes(**STRONG))
    whole = augmentation(images, (seed, 1, 2))
    assert torch.equal(augmentation(images[first:last], (seed, 1, 2), first), whole[first:last])


def test_rows_and_batches_differ() -> None:
    same = pictures(1).expand(8, -1, -1, -1)
    result = changed(same, (7, 1, 2), **STRONG)
    assert len(result.flatten(1).unique(dim=0)) == 8
    assert torch.equal(result, changed(same, (7, 1, 2), **STRONG))
    assert not torch.equal(result, changed(same, (7, 1, 3), **STRONG))


def test_a_setting_leaves_what_others_do() -> None:
    """The same rows are mirrored whether light changes or not."""
    images = pictures(24)
    dark = changed(images, flip=0.5, brightness=0.2)
    offsets = [
        (dark - each).flatten(1).std(1) for each in (changed(images, flip=0.5), changed(images, flip=0.0))
    ]
    assert (offsets[0] < offsets[1]).sum() in range(5, 20)
    assert (offsets[0] <= offsets[1]).all()


def test_a_certain_flip_is_a_mirror_image() -> None:
    assert torch.equal(changed(pictures(), flip=1.0), pictures().flip(3).float())


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_moves_are_those_of_opencv(flip: float) -> None:
    images = pictures(20, 65)
    augmentation = BatchedAugmentation(Changes(flip=flip, shift=0.1, scale=0.2, rotate=20))
    drawn = augmentation._draw((3,), 0, 20)
    result = augmentation(images, (3,))
    for row, image in enumerate(images.permute(0, 2, 3, 1).numpy()):
        shift = [0.1 * (2 * float(drawn[name][row]) - 1) * 65 for name in ("shift_x", "shift_y")]
        turn, size = (
            20 * (2 * float(drawn["rotate"][row]) - 1),
            1 + 0.2 * (2 * float(drawn["scale"][row]) - 1),
        )
        matrix = cv2.getRotationMatrix2D((32, 32), -turn, size)  # OpenCV counts angles the other way
        matrix[:, 2] += shift
        picture = image[:, ::-1] if flip else image
        if flip:
            matrix = matrix.copy()
        expected = cv2.warpAffine(
            np.ascontiguousarray(picture).astype(np.float32), matrix, (65, 65), flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        off = np.abs(result[row].permute(1, 2, 0).numpy() - expected)
        assert off.max() < 4  # OpenCV rounds places to a 32nd of a pixel
        assert off.mean() < 0.4


def test_light_is_that_of_albumentations() -> None:
    images = pictures(12)
    augmentation = BatchedAugmentation(Changes(brightness=0.3, contrast=0.4))
    drawn = augmentation._draw((0,), 0, 12)
    for row, result in enumerate(augmentation(images, (0,))):
        gain = 1 + 0.4 * (2 * float(drawn["contrast"][row]) - 1)
        lift = 0.3 * (2 * float(drawn["brightness"][row]) - 1)
        one = Augmentation(Changes(brightness=0.3, contrast=0.4))
        light = one._compose.transforms[0]
        expected = light.apply(images[row].permute(1, 2, 0).numpy(), alpha=gain, beta=lift * 255)
        assert np.abs(result.permute(1, 2, 0).numpy() - expected).max() <= 1.01


def luma(images: torch.Tensor) -> torch.Tensor:
    return torch.einsum("c,nchw->nhw", torch.tensor([0.299, 0.587, 0.114]), images.float())


def test_certain_grey_takes_the_colour_and_leaves_the_light() -> None:
    grey = changed(pictures(), grey=1.0)
    torch.testing.assert_close(grey, luma(pictures())[:, None].expand(-1, 3, -1, -1), atol=1e-3, rtol=0)


def test_colour_changes_in_half_of_the_rows_and_leaves_the_light() -> None:
    muted = (0.5 * pictures(60).float() + 60).round().to(torch.uint8)  # nothing leaves the range
    result = changed(muted, saturation=0.3)
    torch.testing.assert_close(luma(result), luma(muted), atol=0.3, rtol=0)
    touched = ((result - muted).abs().amax((1, 2, 3)) > 0.01).sum()
    assert touched in range(18, 43)
    spread = (result - luma(result)[:, None]).flatten(1).norm(dim=1) / (muted - luma(muted)[:, None]).flatten(
        1
    ).norm(dim=1)
    assert 0.7 - 0.05 < spread.min() < 0.8
    assert 1.2 < spread.max() < 1.3 + 0.05


def test_blur_is_a_gaussian() -> None:
    images = pictures(8)
    augmentation = BatchedAugmentation(Changes(blur=1.0))
    deviation = 0.5 + 0.6 * augmentation._draw((0,), 0, 8)["blur_width"]
    for row, result in enumerate(augmentation(images, (0,))):
        expected = cv2.GaussianBlur(
            images[row].permute(1, 2, 0).numpy().astype(np.float32), (5, 5), float(deviation[row]),
            borderType=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        np.testing.assert_allclose(result.permute(1, 2, 0).numpy(), expected, atol=0.01)


def test_a_certain_box_is_erased_and_nothing_else() -> None:
    images = pictures(200)
    places = []
    for before, after in zip(images.float(), changed(images, erase=1.0), strict=True):
        y, x = np.nonzero((before != after).any(0).numpy())
        sides = np.ptp(y) + 1, np.ptp(x) + 1
        assert all(0.1 * 64 - 1 <= side <= 0.35 * 64 + 1 for side in sides)
        assert len(y) > 0.95 * sides[0] * sides[1]
        assert (after[:, y, x] == after[:, y[0], x[0]][:, None]).all()  # of one colour
        places.append((y.min(), y.max(), x.min(), x.max()))
    least, greatest = np.min(places, 0), np.max(places, 0)
    assert (least[[0, 2]] <= 1).all()
    assert (greatest[[1, 3]] >= 62).all()


@pytest.mark.parametrize(
    ("changes", "farthest"),
    [
        ({"shift": 0.1}, 12.9 * 2**0.5),
        ({"scale": 0.25}, 16 * 0.25),
        ({"rotate": 25}, 2 * 16 * math.sin(math.radians(25 / 2))),
    ],
)
def test_a_spot_moves_as_far_as_said(changes: dict[str, float], farthest: float) -> None:
    spot = torch.zeros(60, 3, 129, 129, dtype=torch.uint8)
    spot[..., 62:67, 78:83] = 255
    moved = changed(spot, **changes)[:, 0].numpy()
    places = np.array([(np.indices(image.shape) * image).sum((1, 2)) / image.sum() for image in moved])
    distances = np.linalg.norm(places - [64, 80], axis=1)
    assert 0.7 * farthest < distances.max() < farthest + 0.7


def test_where_it_is_done() -> None:
    assert isinstance(augmentation_of("cpu", flip=0.5), Augmentation)
    assert isinstance(augmentation_of("device", flip=0.5), BatchedAugmentation)
    with pytest.raises(UserError, match=r"augmentation\.where=gpu"):
        augmentation_of("gpu")
    with pytest.raises(UserError, match=r"augmentation\.flip="):
        augmentation_of("device", flip=2)
