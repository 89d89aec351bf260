from __future__ import annotations

import numpy as np
import pytest
from sitters import circumstances, placed, sitting

from facenet_lit.sources.drawing.backdrop import background, shoulders


@pytest.mark.parametrize("scene", [0.0, 0.2, 0.4, 0.6, 0.75, 0.9, 1.0])
def test_backgrounds_are_of_their_palette_and_not_lit(scene):
    drawn = circumstances(scene=scene)
    canvas = background(drawn, 96)
    assert canvas.shape == (96, 96, 4)
    assert not canvas[:, :, 3].any()
    low, high = drawn.palette.min(axis=0), drawn.palette.max(axis=0)
    share = ((canvas[:, :, :3] >= low - 1) & (canvas[:, :, :3] <= high + 1)).mean()
    assert share > 0.85  # cubic interpolation reaches a little beyond


def test_scenes_differ():
    canvases = [background(circumstances(scene=(place + 0.5) / 6), 64) for place in range(6)]
    for place, first in enumerate(canvases):
        for second in canvases[place + 1 :]:
            assert np.abs(first.astype(int) - second).mean() > 2


def test_stripes_run_down_and_layers_across():
    stripes, layers = (background(circumstances(scene=scene), 64).astype(int) for scene in (0.6, 0.75))
    assert np.ptp(stripes, axis=0).max() == 0
    assert np.ptp(stripes, axis=1).max() > 20
    assert np.ptp(layers, axis=1).max() == 0
    assert np.ptp(layers, axis=0).max() > 20


def test_shoulders_are_below_the_face():
    sitter = sitting()
    for shape in shoulders(sitter):
        assert placed(sitter, shape)[:, 1].min() > 160
