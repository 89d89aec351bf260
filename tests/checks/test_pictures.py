import numpy as np
import pytest

from facenet_lit.checks.finding import Verdict
from facenet_lit.checks.pictures import AT_ONCE, FLAT, check_pictures, find_flat

RNG = np.random.default_rng(0)
FILES = [f"p/{number}" for number in range(2000)]


def images(count: int) -> np.ndarray:
    return RNG.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)


def test_flat_images_are_those_of_a_loop() -> None:
    several = images(AT_ONCE + 40)
    several[3], several[AT_ONCE] = 0, 255
    several[AT_ONCE + 7] = [200, 10, 90]  # one colour, though its channels differ
    several[20] = several[20] // 100 + 7  # nearly black
    flat, seen = find_flat(several)
    expected = [k for k, image in enumerate(several) if max(image[..., c].std() for c in range(3)) < FLAT]
    assert flat.tolist() == expected == [3, 20, AT_ONCE, AT_ONCE + 7]
    assert seen == len(several)


def test_of_many_some_are_looked_at_evenly() -> None:
    several = images(101)
    several[::2] = 0
    flat, seen = find_flat(several, most=51)
    assert seen == 51
    assert flat.tolist() == list(range(0, 101, 2))


@pytest.mark.parametrize(
    ("flat", "left_out", "verdict"),
    [
        (0, {}, Verdict.OK),
        (1, {}, Verdict.LOOK),
        (0, {"a": "cut short"}, Verdict.LOOK),
        (6, {}, Verdict.STOP),
    ],
)
def test_verdicts(flat: int, left_out: dict[str, str], verdict: Verdict) -> None:
    assert check_pictures(np.arange(flat), 10, FILES, left_out).verdict is verdict


def test_what_is_wrong_is_named() -> None:
    found = check_pictures(np.arange(5), 20, FILES, {"bad.jpg": "cut short"})
    assert "5 of 20 images looked at are of one colour (p/0, p/1, p/2 and 2 more)" in found.said
    assert "1 pictures did not decode and are left out (bad.jpg: cut short)" in found.said
    assert found.advice
