"""The picture of a study: a dot for each run, and a line that says what was not run."""

import math

import numpy as np
import pytest
from study_picture import BAND, MARGIN, picture


def test_a_dot_for_each_seed_and_what_was_not_run() -> None:
    rows = [{"test/eer_balanced": value, "test/eer_balanced_low": value - 0.02, "test/eer_balanced_high": value + 0.02}
            for value in (0.1, 0.2)]  # fmt: skip
    figure = picture("mine", [({"model": "timm"}, rows), ({"cell": "mine/other"}, []), ({"a": "1"}, [{}])])
    [axes] = figure.axes
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert list(dots[0].get_xdata()) == [0.1, 0.2]
    [mean] = [line for line in axes.lines if line.get_marker() == "|"]
    assert list(mean.get_xdata()) == pytest.approx([0.15])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["model=timm", "other", "a=1"]
    assert [text.get_text() for text in axes.texts] == ["not run", "no figures"]


def test_curves_stand_beside_where_they_are_kept() -> None:
    rows = [{"test/eer_balanced": 0.1, "curve": {"step": [1, 2, 3, 4], "loss": [0.2, None, 0.05, 9.0]}}]
    axes, curves = picture("mine", [({}, rows), ({"a": "1"}, [{"test/eer_balanced": 0.5}])]).axes
    margin, line = curves.lines
    assert list(margin.get_ydata()) == [0, 0]  # where the dots of the first cell are
    heights = (MARGIN - np.array([0.2, math.nan, 0.05, 2 * MARGIN])) * BAND / (2 * MARGIN)
    assert list(line.get_ydata()) == pytest.approx(heights, nan_ok=True)
    assert curves.get_ylim() == axes.get_ylim()
