import numpy as np
import pytest

from facenet_lit.data.augmentation import Augmentation, Changes
from facenet_lit.errors import UserError

STRONG = {
    "flip": 0.5, "shift": 0.1, "scale": 0.1, "rotate": 15, "brightness": 0.2, "contrast": 0.2,
    "saturation": 0.3, "grey": 0.2, "blur": 0.2, "erase": 0.5,
}  # fmt: skip


def pictures(count: int = 6, size: int = 64) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def test_nothing_to_do_changes_nothing() -> None:
    images = pictures()
    assert Augmentation(Changes())(images, (0,)) is images


@pytest.mark.parametrize("settings", [{name: value} for name, value in STRONG.items()], ids=list(STRONG))
def test_each_setting_changes_pictures_of_the_same_shape(settings: dict[str, float]) -> None:
    images = pictures(24)
    changed = Augmentation(Changes(**settings))(images, (0,))
    assert changed.shape == images.shape
    assert changed.dtype == np.uint8
    assert (changed != images).any()


def test_the_batch_given_is_left_as_it_is() -> None:
    images = pictures()
    before = images.copy()
    Augmentation(Changes(**STRONG))(images, (0,))
    assert np.array_equal(images, before)


def test_the_seed_says_it_all() -> None:
    images, augmentation = pictures(), Augmentation(Changes(**STRONG))
    first = augmentation(images, (7, 1, 2))
    augmentation(images, (0,))
    np.random.seed(1)  # noqa: NPY002 - nothing global may matter
    assert np.array_equal(first, augmentation(images, (7, 1, 2)))
    assert np.array_equal(first, Augmentation(Changes(**STRONG))(images, (7, 1, 2)))
    assert not np.array_equal(first, augmentation(images, (7, 1, 3)))


def test_rows_differ_and_do_not_depend_on_how_many_follow() -> None:
    same = np.repeat(pictures(1), 8, axis=0)
    augmentation = Augmentation(Changes(**STRONG))
    changed = augmentation(same, (3,))
    assert len(np.unique(changed.reshape(8, -1), axis=0)) == 8
    assert np.array_equal(augmentation(same[:5], (3,)), changed[:5])


def test_a_certain_flip_is_a_mirror_image() -> None:
    images = pictures()
    assert np.array_equal(Augmentation(Changes(flip=1.0))(images, (0,)), images[:, :, ::-1])


def test_certain_grey_takes_the_colour_and_leaves_the_light() -> None:
    images = pictures()
    grey = Augmentation(Changes(grey=1.0))(images, (0,)).astype(float)
    assert np.array_equal(grey, grey[..., :1].repeat(3, axis=3))
    luma = images @ np.array([0.299, 0.587, 0.114])  # BT.601
    np.testing.assert_allclose(grey[..., 0], luma, atol=1)


def test_a_certain_box_is_erased_and_nothing_else() -> None:
    images = pictures(24)
    for before, after in zip(images, Augmentation(Changes(erase=1.0))(images, (0,)), strict=True):
        y, x = np.nonzero((before != after).any(axis=2))
        sides = np.ptp(y) + 1, np.ptp(x) + 1
        assert all(0.1 * 64 - 1 <= side <= 0.35 * 64 + 1 for side in sides)
        assert len(y) > 0.95 * sides[0] * sides[1]  # filled, but for pixels that happen to be equal


@pytest.mark.parametrize(
    ("settings", "farthest"),
    [
        ({"shift": 0.1}, 12.9 * 2**0.5),  # to both sides at once
        ({"scale": 0.25}, 16 * 0.25),
        ({"rotate": 25}, 2 * 16 * np.sin(np.radians(25 / 2))),
    ],
)
def test_a_spot_moves_as_far_as_said(settings: dict[str, float], farthest: float) -> None:
    """A white spot, 16 pixels right of the centre of a black picture of 129."""
    spot = np.zeros((129, 129, 3), np.uint8)
    spot[62:67, 78:83] = 255
    moved = Augmentation(Changes(**settings))(spot[None].repeat(60, axis=0), (0,))[..., 0]
    places = np.array([(np.indices(image.shape) * image).sum((1, 2)) / image.sum() for image in moved])
    distances = np.linalg.norm(places - [64, 80], axis=1)
    assert 0.7 * farthest < distances.max() < farthest + 0.7


@pytest.mark.parametrize("settings", [{"flip": 1.5}, {"erase": -0.1}, {"rotate": 400}, {"blur": "much"}])
def test_values_out_of_range_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(UserError, match=f"augmentation.{next(iter(settings))}"):
        Augmentation(Changes(**settings))
