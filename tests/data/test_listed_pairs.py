import pytest

from facenet_lit.data.listed_pairs import decoded_pairs, number_pairs
from facenet_lit.errors import UserError
from facenet_lit.sources.lfw_lists import ListedPair

FILES = ["a/0", "a/1", "b/0"]


def test_listed_pairs_become_image_numbers() -> None:
    listed = [ListedPair("a/1", "a/0", True), ListedPair("b/0", "a/1", False)]
    assert number_pairs(listed, FILES).tolist() == [[1, 0], [2, 1]]
    assert number_pairs([], FILES).shape == (0, 2)
    with pytest.raises(UserError, match="1 listed pictures are not in the source, nobody for one"):
        number_pairs([ListedPair("nobody", "a/0", False)], FILES)


def test_pairs_of_pictures_that_did_not_decode_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    listed = [
        ListedPair("a/1", "a/0", True),
        ListedPair("b/0", "a/1", False),
        ListedPair("b/0", "c/1", False),
    ]
    folds = [listed[:1], listed[1:]]
    assert decoded_pairs(folds, []) == folds
    assert caplog.messages == []
    assert decoded_pairs(folds, ["b/0", "x"]) == [listed[:1], []]
    assert caplog.messages == ["2 of 3 listed pairs are left out: a picture of theirs does not decode"]
