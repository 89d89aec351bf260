from __future__ import annotations

import numpy as np
import pytest
from sitters import changed, face, generator, picture

from facenet_lit.sources.drawing.traits import draw_identity, face_of


def test_identities_are_drawn_from_the_generator_alone():
    first, again, other = (draw_identity(generator(seed)) for seed in (0, 0, 1))
    assert first.traits == again.traits
    np.testing.assert_array_equal(first.skin, again.skin)
    assert all(first.traits[name] != other.traits[name] for name in first.traits)


def test_traits_vary_independently():
    table = np.array([list(draw_identity(generator(seed)).traits.values()) for seed in range(400)])
    correlations = np.corrcoef(table.T) - np.eye(table.shape[1])
    assert np.abs(correlations).max() < 0.3  # 6 standard errors
    assert table.shape[1] >= 40


def test_colours_can_be_painted_and_differ():
    faces = [draw_identity(generator(seed)) for seed in range(200)]
    for part in ("skin", "hair", "iris", "lips"):
        colours = np.array([getattr(who, part) for who in faces])
        assert colours.min() > -20
        assert colours.max() < 275
        assert np.ptp(colours, axis=0).max() > 60


@pytest.mark.parametrize("name", sorted(draw_identity(generator(0)).traits))
def test_every_trait_shows(name):
    """Moved from one end of its range to the other under the same circumstances, each changes the picture."""
    values = [draw_identity(generator(seed)).traits[name] for seed in range(60)]
    # With what only some identities have, or hide under hair, so that its traits show too.
    having = {
        "mole_size": 0.04,
        "mole_x": 0.4,
        "mole_y": 0.3,
        "beard": 0.5,
        "hair_length": 0.0,
        "moustache": -1.0,
    }
    few, many = (picture(3, {**having, name: value}, 96, yaw=0.25) for value in (min(values), max(values)))
    assert changed(few, many, by=8) > 8


def test_colours_follow_from_the_traits():
    who = face(2)
    np.testing.assert_array_equal(face_of(who.traits).skin, who.skin)
    assert face(2, skin=0.0).skin.mean() > face(2, skin=1.0).skin.mean() + 80
