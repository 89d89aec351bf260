import pytest

from facenet_lit.checks.finding import Verdict
from facenet_lit.checks.resolving import check_fars

FARS = [0.1, 0.01, 0.001]


@pytest.mark.parametrize(
    ("count", "verdict"),
    [(10_000, Verdict.OK), (9_999, Verdict.LOOK), (999, Verdict.LOOK), (0, Verdict.LOOK)],
)
def test_ten_pairs_are_fine_and_one_is_shown(count: int, verdict: Verdict) -> None:
    assert check_fars({"val": 10**6, "test": count}, FARS).verdict is verdict


def test_what_each_allows_is_told() -> None:
    found = check_fars({"val": 9_999, "test": 290}, [0.1, 0.01, 0.001])
    assert found.table == [
        ("", "val", "test"),
        ("impostor pairs", "9,999", "290"),
        ("FAR 0.1 allows", "999 (ok)", "29 (ok)"),
        ("FAR 0.01 allows", "99 (ok)", "2 (coarse)"),
        ("FAR 0.001 allows", "9 (coarse)", "0 (too few)"),
    ]
    assert "the least FAR that test shows is 0.003" in found.said
    assert found.advice.startswith("those that are too few are left out, coarse ones hang on a few pairs")


def test_decimal_rates_are_meant_as_they_are_written() -> None:
    """In floats 0.29 * 100 falls short of 29."""
    assert check_fars({"val": 100}, [0.29]).table[-1] == ("FAR 0.29 allows", "29 (ok)")


def test_what_training_refuses_stops() -> None:
    found = check_fars({"val": 10**6}, [0.1], "monitor=val/x: too few")
    assert (found.verdict, found.advice) == (Verdict.STOP, "monitor=val/x: too few")
    assert "val shows no FAR" in check_fars({"val": 0}, [0.1]).said
