import logging

import numpy as np
import pytest

from facenet_lit.data.audit import (
    LeakError,
    find_leaks,
    find_trained_people,
    find_trained_pictures,
    find_twins,
    identity_fingerprints,
    refuse,
    shared_pictures,
)

NAMES = ["Ann", "Bob", "Cat", "Dan"]
IDENTITIES = np.array([0, 0, 1, 1, 2, 2, 3, 3])
FILES = [f"{NAMES[i]}/{k}.jpg" for k, i in enumerate(IDENTITIES)]
APART = {"train": np.array([0, 1, 2, 3]), "val": np.array([4, 5]), "test": np.array([6, 7])}


def digests(*contents: int) -> np.ndarray:
    return np.array(contents, dtype=np.uint8)[:, None].repeat(32, axis=1)


PICTURES = digests(*range(8))


def test_identities_apart_leak_nothing() -> None:
    pairs = {"test": np.array([[6, 7]])}
    assert find_leaks(APART, IDENTITIES, NAMES, FILES, pairs) == []
    assert find_twins(APART, FILES, PICTURES) == []


def test_an_identity_on_two_sides_is_named() -> None:
    parts = {**APART, "test": np.array([3, 6, 7])}
    leaks = find_leaks(parts, IDENTITIES, NAMES, FILES, {})
    assert leaks == ["1 identities in both train and test, Bob for one"]
    twins = find_twins(parts, FILES, PICTURES)
    assert twins == ["1 pictures in both train and test, Bob/3.jpg = Bob/3.jpg for one"]


def test_one_identity_under_two_numbers_is_found_by_name() -> None:
    leaks = find_leaks(APART, IDENTITIES, ["Ann", "Bob", "Cat", "Ann"], FILES, {})
    assert leaks == ["1 identities in both train and test, Ann for one"]


def test_a_picture_under_two_names_is_found_by_content() -> None:
    leaks = find_twins(APART, FILES, digests(0, 1, 2, 3, 4, 5, 2, 7))
    assert leaks == ["1 pictures in both train and test, Bob/2.jpg = Dan/6.jpg for one"]


def test_one_name_in_two_forms_of_unicode_is_one_identity() -> None:
    names = ["Ann", "Zoe\u0308", "Cat", "Zo\u00eb"]
    leaks = find_leaks(APART, IDENTITIES, names, FILES, {})
    assert leaks == ["1 identities in both train and test, Zo\u00eb for one"]
    assert find_trained_people(identity_fingerprints(names[1:2]), names[3:]) == [
        "the checkpoint was trained on 1 of 1 identities, Zo\u00eb for one"
    ]


def test_of_several_pictures_on_two_sides_the_log_names_all(caplog: pytest.LogCaptureFixture) -> None:
    leaks = find_twins(APART, FILES, digests(0, 1, 2, 3, 4, 5, 2, 1))
    assert leaks == ["2 pictures in both train and test, Ann/1.jpg = Dan/7.jpg for one, all named in the log"]
    assert caplog.messages == [
        "pictures in both train and test:\n  Ann/1.jpg = Dan/7.jpg\n  Bob/2.jpg = Dan/6.jpg"
    ]


def test_images_that_are_on_two_sides_themselves_are_not_listed(caplog: pytest.LogCaptureFixture) -> None:
    parts = {**APART, "test": np.array([2, 3, 6, 7])}
    leaks = find_twins(parts, FILES, PICTURES)
    assert leaks == ["2 pictures in both train and test, Bob/2.jpg = Bob/2.jpg for one"]
    assert caplog.messages == []


def test_odd_names_can_be_told_apart() -> None:
    files = [file.replace("Bob", "Bob,\n\udceb") for file in FILES]
    (twins,) = find_twins(APART, files, digests(0, 1, 2, 3, 4, 5, 2, 7))
    assert twins.endswith(r"'Bob,\n\udceb/2.jpg' = Dan/6.jpg for one")


def test_equal_pictures_on_one_side_are_no_leak() -> None:
    assert find_twins(APART, FILES, digests(0, 0, 2, 3, 4, 4, 6, 7)) == []


def test_a_listed_pair_that_reaches_out_is_named() -> None:
    leaks = find_leaks(APART, IDENTITIES, NAMES, FILES, {"test": np.array([[6, 7], [6, 0]])})
    assert leaks == ["1 listed pairs of test reach out of it, Dan/6.jpg and Ann/0.jpg for one"]


def test_shared_pictures_against_a_double_loop() -> None:
    rng = np.random.default_rng(0)
    one, other = digests(*rng.integers(0, 20, 30)), digests(*rng.integers(0, 20, 12))
    expected = {i for i in range(30) for j in range(12) if np.array_equal(one[i], other[j])}
    found = shared_pictures(one, other)
    assert set(found[:, 0].tolist()) == expected
    assert np.array_equal(one[found[:, 0]], other[found[:, 1]])


def test_what_a_checkpoint_was_trained_on_is_found() -> None:
    trained = identity_fingerprints(["Ann", "Eve"])
    assert find_trained_people(trained, NAMES) == [
        "the checkpoint was trained on 1 of 4 identities, Ann for one"
    ]
    assert find_trained_pictures(PICTURES[:2], FILES, PICTURES) == [
        "the checkpoint was trained on 2 of 8 pictures, Ann/0.jpg for one"
    ]
    assert find_trained_people(identity_fingerprints([]), NAMES) == []
    assert find_trained_pictures(PICTURES[:0], FILES, PICTURES) == []


def test_a_leak_stops_unless_it_is_allowed(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(LeakError, match=r"leak: one; two; do this, or say data\.allow_leak=true"):
        refuse(["one", "two"], False, "do this")
    assert caplog.records == []
    with caplog.at_level(logging.WARNING):
        refuse(["one", "two"], True, "do this")
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["leak, allowed by data.allow_leak: one", "leak, allowed by data.allow_leak: two"]
    refuse([], False, "do this")
    assert len(caplog.records) == 2
