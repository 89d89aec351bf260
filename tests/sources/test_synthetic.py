from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facenet_lit.errors import UserError
from facenet_lit.sources.synthetic import SyntheticFaces


def drawn(source: SyntheticFaces) -> np.ndarray:
    return np.stack([read() for _, read in source.pictures()])


def test_table():
    source = SyntheticFaces(identities=12, images=2, seed=7)
    assert source.names[11] == "synthetic/7/11"
    assert source.files[5] == "synthetic/7/2/1"
    assert len(set(source.files)) == len(source.files) == 24
    np.testing.assert_array_equal(source.identities, np.repeat(np.arange(12), 2))
    assert [number for number, _ in source.pictures()] == list(range(24))


@given(size=st.integers(16, 80), seed=st.integers(0, 2**40))
@settings(max_examples=15, deadline=None)
def test_any_size_and_seed_draws(size, seed):
    pictures = drawn(SyntheticFaces(2, 1, size, seed))
    assert pictures.shape == (2, size, size, 3)
    assert pictures.dtype == np.uint8


def test_image_does_not_depend_on_how_many_there_are():
    few = drawn(SyntheticFaces(2, 3, 32)).reshape(2, 3, 32, 32, 3)
    many = drawn(SyntheticFaces(5, 7, 32)).reshape(5, 7, 32, 32, 3)
    np.testing.assert_array_equal(few, many[:2, :3])


def test_drawing_in_threads_in_any_order_gives_the_same():
    source = SyntheticFaces(6, 6, 32)
    reads = [read for _, read in source.pictures()]
    with ThreadPoolExecutor(4) as pool:
        threaded = list(pool.map(lambda read: read(), reads[::-1]))[::-1]
    np.testing.assert_array_equal(np.stack(threaded), drawn(source))


def test_all_pictures_differ_by_image_identity_and_seed():
    pictures = [drawn(SyntheticFaces(10, 10, 32, seed)) for seed in (0, 1)]
    digests = {hashlib.sha256(picture.tobytes()).digest() for picture in np.concatenate(pictures)}
    assert len(digests) == 200


def test_key_is_of_the_settings():
    settings_ = [(5, 4, 32, 0), (6, 4, 32, 0), (5, 3, 32, 0), (5, 4, 33, 0), (5, 4, 32, 1)]
    assert len({SyntheticFaces(*values).key for values in settings_}) == 5
    assert SyntheticFaces(5, 4, 32, 0).key == SyntheticFaces(5, 4, 32, 0).key


@pytest.mark.parametrize(
    ("values", "setting"),
    [
        ({"identities": 0}, "data.identities=0"),
        ({"images": 0}, "data.images=0"),
        ({"size": 15}, "data.size=15"),
        ({"seed": -1}, "data.seed=-1"),
        ({"size": 64.0}, "data.size=64.0"),
    ],
)
def test_bad_values_are_named(values, setting):
    with pytest.raises(UserError, match=f"^{setting}: expected an integer of"):
        SyntheticFaces(**values)


def same_identity(count: int, images: int) -> np.ndarray:
    return np.equal.outer(np.arange(count) // images, np.arange(count) // images)


def wrong_order(features: np.ndarray, images: int) -> float:
    """Share of comparisons in which a genuine pair is farther apart than an impostor pair."""
    squares = (features**2).sum(1)
    distances = squares[:, None] + squares[None] - 2 * features @ features.T
    same, above = same_identity(len(features), images), np.triu(np.ones((len(features),) * 2, bool), 1)
    genuine, impostor = np.sort(distances[same & above]), distances[~same & above]
    return float(1 - np.searchsorted(genuine, impostor).mean() / len(genuine))


def test_raw_pixels_do_not_tell_identities_apart():
    pictures = drawn(SyntheticFaces(30, 6, 32)).reshape(180, -1).astype(float)
    assert wrong_order(pictures, 6) > 0.25


def test_averaging_circumstances_out_leaves_cues_to_learn():
    """Means over an identity's images are nearer to each other than to other identities' means."""
    pictures = drawn(SyntheticFaces(12, 40, 32)).reshape(24, 20, -1).astype(float)
    assert wrong_order(pictures.mean(axis=1), 2) < 0.1
