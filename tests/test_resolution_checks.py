import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.errors import UserError
from facenet_lit.resolution_checks import check_resolution, count_impostor_pairs, fars_asked_for

FARS = [0.1, 0.01, 0.001]


@given(people=st.lists(st.integers(0, 5), max_size=30))
def test_impostor_pairs_are_counted_as_by_a_loop(people: list[int]) -> None:
    expected = sum(a != b for i, a in enumerate(people) for b in people[:i])
    assert count_impostor_pairs(np.array(people, dtype=np.int64)) == expected


def test_fars_that_are_not_resolvable_are_warned_of_in_one_line() -> None:
    # 2.7 of 27 impostor pairs at 0.1 is coarse, 0.27 at 0.01 is nothing.
    line = check_resolution({"val": 27, "test": 150}, FARS, asked=False, monitor="val/eer_balanced")
    assert line == (
        "few impostor pairs: val has 27: leaves out tar_at_far_1e-2, tar_at_far_1e-3; coarse tar_at_far_1e-1. "
        "test has 150: leaves out tar_at_far_1e-3; coarse tar_at_far_1e-2. "
        "Use more images or larger FARs in metrics.fars"
    )
    assert check_resolution({"val": 10000}, FARS, asked=True) is None


@pytest.mark.parametrize("ending", ["", "_balanced"])
def test_it_is_refused_as_the_monitor(ending: str) -> None:
    parts = {"val": 27, "test": 5}
    check_resolution(parts, FARS, asked=False, monitor="val/tar_at_far_1e-1" + ending)
    with pytest.raises(UserError, match="val has 27 impostor pairs, too few for") as caught:
        check_resolution(parts, FARS, asked=False, monitor="val/tar_at_far_1e-2" + ending)
    assert str(caught.value).startswith("monitor=val/tar_at_far_1e-2")


def test_it_is_refused_where_it_was_asked_for() -> None:
    check_resolution({"val": 27}, [0.1], asked=True)
    with pytest.raises(UserError, match=r"metrics\.fars=\[0\.1, 0\.01\]: val has 27 impostor pairs"):
        check_resolution({"val": 27}, [0.1, 0.01], asked=True)


@pytest.mark.parametrize("plus", ["", "+", "++"])
def test_fars_are_asked_for_on_the_command_line(plus: str) -> None:
    assert fars_asked_for(["seed=1", f"{plus}metrics.fars=[0.1]"])
    assert not fars_asked_for([f"{plus}metrics.threshold=1", "metrics=verification"])
