import numpy as np

from facenet_lit.metrics.scored_pairs import ScoredPairs
from facenet_lit.plots.style import pixels
from facenet_lit.plots.two_runs import LONGEST, Run, draw_two_runs


def run(name: str, mean: float) -> Run:
    generator = np.random.default_rng(0)
    pairs = ScoredPairs.of(
        generator.normal(mean, 0.1, 90), np.arange(90) // 3, generator.normal(1.3, 0.1, 500)
    )
    return Run(name, pairs, {"eer": 0.1, "eer_low": 0.05, "eer_high": 0.15, "eer_balanced": mean})


def test_two_panels_with_a_curve_of_each_run() -> None:
    figure = draw_two_runs([run("runs/one", 0.9), run("runs/other", 1.1)])
    panels = figure.axes
    assert [panel.get_title(loc="left") for panel in panels] == ["over pairs", "balanced"]
    told = [[line.get_label() for line in panel.lines] for panel in panels]
    assert told == [["EER 0.100 [0.050, 0.150]"] * 2, ["EER 0.900", "EER 1.100"]]
    for panel in panels:
        for line in panel.lines:
            assert line.get_xdata()[-1] == line.get_ydata()[-1] == 1
        better, worse = (np.interp(0.01, line.get_xdata(), line.get_ydata()) for line in panel.lines)
        assert better > worse
    assert [text.get_text() for text in figure.legends[0].texts] == ["runs/one", "runs/other"]


def test_no_words_touch_and_long_names_have_room() -> None:
    figure = draw_two_runs([run("W" * LONGEST + "/one", 0.9), run("other", 1.1)])
    height, width, _ = pixels(figure).shape
    renderer = figure.canvas.get_renderer()
    names = figure.legends[0].get_window_extent(renderer)
    assert 0 <= names.x0 < names.x1
    assert names.y0 >= 0
    for panel in figure.axes:
        for text in (panel.xaxis.label, panel.yaxis.label, *figure.texts):
            box = text.get_window_extent(renderer)
            assert not box.overlaps(names)
            assert 0 <= box.x0 < box.x1 <= width
            assert 0 <= box.y0 < box.y1 <= height
    assert figure.legends[0].texts[0].get_text().startswith("…W")
    assert len(figure.legends[0].texts[0].get_text()) == LONGEST
