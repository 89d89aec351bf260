import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.checks.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, bars, lines

NUMBERS = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(st.text("ab<&\"'", max_size=5), st.integers(0, 10**6)), max_size=12))
def test_bars_are_as_tall_as_their_numbers(heights: list[tuple[str, int]]) -> None:
    chart = ElementTree.fromstring(bars(heights, 'a "chart" & more'))
    assert chart.get("aria-label") == 'a "chart" & more'
    tall = [float(bar.get("height")) for bar in chart.findall("rect")]
    most = max([height for _, height in heights], default=0) or 1
    expected = [(HEIGHT - TOP - BOTTOM) * height / most for _, height in heights]
    assert tall == pytest.approx(expected, abs=0.051)
    texts = [text.text or "" for text in chart.findall("text")]
    assert texts == [told for label, height in heights for told in (f"{height:,}", label)]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=20), st.booleans())
def test_curves_stay_in_their_frame_and_keep_their_order(
    points: list[tuple[float, float]], zero: bool
) -> None:
    xs, ys = zip(*points, strict=True)
    ys = [abs(y) for y in ys] if zero else ys
    chart = ElementTree.fromstring(lines([("loss", xs, ys)], "about", [("rule", max(ys))], zero))
    [curve] = chart.findall("polyline")
    places = [tuple(map(float, pair.split(","))) for pair in curve.get("points").split()]
    assert len(places) == len(points)
    for x, y in places:
        assert LEFT - 0.1 <= x <= WIDTH - RIGHT + 0.1
        assert TOP - 0.1 <= y <= HEIGHT - BOTTOM + 0.1
    for (_, a), (_, b), one, other in zip(places, places[1:], ys, ys[1:], strict=False):
        assert (a - b) * (other - one) >= 0 or math.isclose(a, b, abs_tol=0.11)


def test_a_rule_lies_at_its_height() -> None:
    chart = ElementTree.fromstring(lines([("loss", [1, 2], [0.0, 1.0])], "about", [("half", 0.5)]))
    [rule] = [path for path in chart.findall("path") if path.get("class") == "rule"]
    assert f" {TOP + (HEIGHT - TOP - BOTTOM) / 2:.1f}H" in rule.get("d")
