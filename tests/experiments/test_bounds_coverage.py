import json
from pathlib import Path

import bounds_coverage
import numpy as np
import pytest
from bounds_coverage import judge, judge_two, run, tallied
from bounds_coverage_table import TALLIES, table
from made_up_people import Setting, equal_sizes, true_rates

from facenet_lit.metrics.bootstrap_intervals import Bounds

SMALL = Setting(40, equal_sizes, "40 of 4")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few and small data sets; their truth is that of a small population."""
    truth = true_rates.__wrapped__(1, 4_000)
    monkeypatch.setattr(bounds_coverage, "true_rates", lambda: truth)
    monkeypatch.setattr(bounds_coverage, "REPLICATES", 100)
    monkeypatch.setattr(bounds_coverage, "KEPT", 2)
    monkeypatch.setattr(bounds_coverage, "SETTINGS", {"equal": SMALL, "compare": SMALL})


def test_what_a_set_costs_is_told() -> None:
    assert bounds_coverage.seconds(400, 100).startswith("400 identities, 866 images, ")


@pytest.mark.parametrize("counted", [False, True])
def test_what_the_bootstrap_holds_is_counted_apart_from_what_the_fallback_does(counted: bool) -> None:
    told = dict(zip(TALLIES, tallied(0.1, Bounds(0.2, 0.5, counted), np.array([0.0, 0.3])), strict=True))
    way, other = ("fallback", "bootstrap") if counted else ("bootstrap", "fallback")
    assert [told[f"{way}_{each}"] for each in ("count", "below", "above", "width")] == [1, 1, 0, 0.3]
    assert not any(value for key, value in told.items() if key.startswith(other))
    assert told["plain_held"] == 1


@pytest.mark.parametrize(("name", "judged"), [("equal", judge), ("compare", judge_two)])
def test_runs_go_on_where_they_were_stopped(small: None, tmp_path: Path, name: str, judged) -> None:
    run(name, 2, tmp_path)
    run(name, 5, tmp_path)
    kept = json.loads((tmp_path / f"{name}.json").read_text())
    each = [judged(SMALL, number) for number in range(5)]
    assert kept["judged"] == 5
    for figure, tallies in kept["tallies"].items():
        assert list(tallies.values()) == pytest.approx(
            [sum(column) for column in zip(*(one[figure] for one in each), strict=True)]
        )
    assert table(tmp_path, [name]).splitlines()[0].endswith("5 data sets of 40 of 4:")


def test_runs_that_are_equal_in_truth_are_rarely_told_apart(small: None, tmp_path: Path) -> None:
    run("compare", 20, tmp_path)
    tallies = json.loads((tmp_path / "compare.json").read_text())["tallies"]
    for figure in ("eer_balanced", "tar_at_far_1e-1_balanced"):
        found = tallies[figure]
        assert found["bootstrap_count"] + found["fallback_count"] == 20
        assert found["bootstrap_below"] + found["bootstrap_above"] <= 4
        assert found["bootstrap_width"] > 0
