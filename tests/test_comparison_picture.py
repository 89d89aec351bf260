from pathlib import Path

import cv2
import numpy as np

from facenet_lit.comparison_picture import draw_comparison, save
from facenet_lit.metrics.scored_pairs import ScoredPairs


def test_two_panels_with_a_curve_of_each_run(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    runs = [
        (
            name,
            ScoredPairs.of(
                generator.normal(mean, 0.1, 90), np.arange(90) // 3, generator.normal(1.3, 0.1, 500)
            ),
        )
        for name, mean in (("one", 0.9), ("other", 1.1))
    ]
    figure = draw_comparison(runs)
    panels = figure.axes
    assert [panel.get_title() for panel in panels] == ["over pairs", "balanced"]
    for panel in panels:
        assert [line.get_label() for line in panel.lines] == ["one", "other"]
        for line in panel.lines:
            assert line.get_xdata()[-1] == line.get_ydata()[-1] == 1
        better, worse = (np.interp(0.01, line.get_xdata(), line.get_ydata()) for line in panel.lines)
        assert better > worse
    save(figure, tmp_path / "roc.png")
    assert cv2.imread(str(tmp_path / "roc.png")).shape[2] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["roc.png"]
