from __future__ import annotations

import numpy as np

from facenet_lit.sources.face_traits import draw_circumstances, draw_identity


def generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_identities_are_drawn_from_the_generator_alone():
    first, again, other = (draw_identity(generator(seed)) for seed in (0, 0, 1))
    assert first.traits == again.traits
    np.testing.assert_array_equal(first.skin, again.skin)
    assert all(first.traits[name] != other.traits[name] for name in first.traits)


def test_traits_vary_independently():
    table = np.array([list(draw_identity(generator(seed)).traits.values()) for seed in range(400)])
    correlations = np.corrcoef(table.T) - np.eye(table.shape[1])
    assert np.abs(correlations).max() < 0.3  # 6 standard errors
    assert table.shape[1] >= 20


def test_colours_can_be_painted_and_differ():
    faces = [draw_identity(generator(seed)) for seed in range(200)]
    for part in ("skin", "hair", "iris", "lips"):
        colours = np.array([getattr(face, part) for face in faces])
        assert colours.min() > -30
        assert colours.max() < 285
        assert np.ptp(colours, axis=0).max() > 60


def test_circumstances_leave_identity_alone():
    first, second = draw_circumstances(generator(0)), draw_circumstances(generator(1))
    assert first.keys() == second.keys()
    assert first.keys().isdisjoint(draw_identity(generator(0)).traits)
    assert all(first[name] != second[name] for name in first)
