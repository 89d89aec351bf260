import numpy as np

from facenet_lit.checks.finding import Verdict
from facenet_lit.checks.labels import check_labels

PEOPLE = np.array([0, 0, 1, 1, 2, 2])
FILES = ["Ann/0", "Ann/1", "Bob/2", "Bob/3", "Cid/4", "Cid/5"]


def digests(*kinds: int) -> np.ndarray:
    return np.stack([np.full(32, kind, np.uint8) for kind in kinds])


def test_different_pictures_are_ok() -> None:
    found = check_labels(PEOPLE, FILES, digests(0, 1, 2, 3, 4, 5))
    assert found.verdict is Verdict.OK
    assert found.said == (
        "No picture is under more than one person; no image repeats another of the same person."
    )


def test_a_picture_under_two_names_is_named() -> None:
    found = check_labels(PEOPLE, FILES, digests(0, 1, 0, 3, 4, 3))
    assert found.verdict is Verdict.LOOK
    assert "2 pictures are under more than one person (Ann/0 = Bob/2, Bob/3 = Cid/5)" in found.said


def test_a_picture_twice_under_one_name_is_left_out() -> None:
    found = check_labels(PEOPLE, FILES, digests(0, 0, 2, 3, 4, 5))
    assert found.verdict is Verdict.OK
    assert "1 image repeats another of the same person and is left out (Ann/0 = Ann/1)" in found.said


def test_odd_names_are_quoted() -> None:
    found = check_labels(PEOPLE, [f"{file}\n" for file in FILES], digests(0, 1, 0, 3, 4, 5))
    assert "'Ann/0\\n' = 'Bob/2\\n'" in found.said
