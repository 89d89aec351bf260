import json
from pathlib import Path

import bounds_coverage
import numpy as np
import pytest
from bounds_coverage import Setting, drawn_set, equal_sizes, judge, lfw_sizes, run, table


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few and small data sets; their truth is that of a small population."""
    truth = bounds_coverage.true_rates.__wrapped__(1, 4_000)
    monkeypatch.setattr(bounds_coverage, "true_rates", lambda: truth)
    monkeypatch.setattr(bounds_coverage, "REPLICATES", 100)
    monkeypatch.setattr(bounds_coverage, "KEPT", 2)
    monkeypatch.setattr(bounds_coverage, "SETTINGS", {"equal": Setting(40, equal_sizes, "40 of 4")})


def test_sizes_are_like_those_of_lfw() -> None:
    sizes = lfw_sizes(np.random.default_rng(0), 200_000)
    assert (sizes == 1).mean() == pytest.approx(4069 / 5749, abs=0.005)
    assert (sizes == 2).mean() == pytest.approx(779 / 5749, abs=0.02)
    assert sizes.max() == 530
    assert sizes.mean() == pytest.approx(13_233 / 5_749, abs=0.35)


def test_true_rates_are_those_of_a_large_data_set() -> None:
    truth = bounds_coverage.true_rates.__wrapped__(1, 40_000)
    rows, _ = drawn_set(Setting(1500, equal_sizes, ""), 0)
    told = bounds_coverage.figures(bounds_coverage.score_all_pairs(*rows[:3]), 1.0, (0.1, 0.01))
    for name in ("tar", "far", "eer", "tar_at_far_1e-1", "tar_at_far_1e-2"):
        assert told[name] == pytest.approx(truth[name], abs=0.03)


def test_what_a_set_costs_is_told() -> None:
    assert bounds_coverage.seconds(400, 100).startswith("400 identities, 866 images, ")


def test_listed_pairs_are_half_genuine() -> None:
    rows, listed = drawn_set(Setting(30, lfw_sizes, ""), 3)
    same = rows.identities[listed[:, 0]] == rows.identities[listed[:, 1]]
    assert same.tolist() == [True] * 300 + [False] * 300
    assert (listed[:, 0] != listed[:, 1]).all()


def test_runs_go_on_where_they_were_stopped(small: None, tmp_path: Path) -> None:
    run("equal", 2, tmp_path)
    run("equal", 5, tmp_path)
    kept = json.loads((tmp_path / "equal.json").read_text())
    each = [judge(bounds_coverage.SETTINGS["equal"], number) for number in range(5)]
    assert kept["judged"] == 5
    for name, tallies in kept["tallies"].items():
        assert tallies == pytest.approx([sum(one[name][k] for one in each) for k in range(6)])
    lines = table(tmp_path).splitlines()
    assert lines[0] == "5 data sets of 40 of 4:"
    (row,) = [line for line in lines if line.startswith("| eer_balanced |")]
    below, above = kept["tallies"]["eer_balanced"][1:3]
    assert f"{1 - (below + above) / 5:.3f}" in row
