import json
from pathlib import Path

from bounds_coverage_table import TALLIES, table


def written(folder: Path, name: str, truth: dict[str, float] | None, *values: float) -> None:
    tallies = {"far": dict(zip(TALLIES, values, strict=True))}
    kept = {"about": "people", "truth": truth, "judged": 1000, "tallies": tallies}
    (folder / f"{name}.json").write_text(json.dumps(kept))


def cells(text: str) -> list[str]:
    return [cell.strip() for cell in text.splitlines()[-1].strip("|").split("|")]


def test_a_wide_fallback_hides_no_bootstrap_that_holds_the_truth_too_seldom(tmp_path: Path) -> None:
    """Together they hold it in 0.93."""
    written(tmp_path, "lfw", {"far": 0.02}, 800, 30, 40, 80, 200, 0, 0, 100, 940)
    text = table(tmp_path, ["equal", "lfw"])
    assert text.startswith("1,000 data sets of people:\n")
    assert cells(text) == [
        "far", "0.0200", "20%", "0.912 under", "0.037, 0.050", "0.100", "1.000 over", "0.500", "0.940"
    ]  # fmt: skip


def test_differences_are_of_no_true_rate(tmp_path: Path) -> None:
    written(tmp_path, "compare", None, 1000, 20, 30, 80, 0, 0, 0, 0, 940)
    text = table(tmp_path, ["compare"])
    assert text.startswith("Differences of two runs that are equal in truth, on 1,000 data sets of people:\n")
    assert "| figure | 0 left out |" in text
    assert cells(text) == ["far", "0.050", "0%", "0.950", "0.020, 0.030", "0.080", "-", "-", "0.940"]


def test_what_is_just_in_the_range_is_not_marked(tmp_path: Path) -> None:
    written(tmp_path, "compare", None, 500, 15, 20, 40, 0, 0, 0, 0, 485)
    assert cells(table(tmp_path, ["compare"]))[3] == "0.930"
