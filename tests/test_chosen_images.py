import numpy as np
import pytest

from facenet_lit.chosen_images import choose
from facenet_lit.errors import UserError
from facenet_lit.sources.lfw_lists import ListedPair
from facenet_lit.sources.synthetic import SyntheticFaces

SOURCE = SyntheticFaces(4, 2)  # two images each, one person after another


def test_a_part_is_scored_by_all_its_pairs() -> None:
    parts = {"val": np.arange(2), "test": np.arange(2, 8)}
    chosen = choose(SOURCE, parts, "test", None)
    assert chosen.numbers.tolist() == [2, 3, 4, 5, 6, 7]
    assert chosen.pairs is None
    assert chosen.impostor_pairs == 12
    assert choose(SOURCE, parts, "all", None).numbers.tolist() == chosen.numbers.tolist()


def test_listed_pairs_are_scored_alone() -> None:
    files = SOURCE.files
    listed = [ListedPair(files[2], files[3], True), ListedPair(files[6], files[2], False)]
    chosen = choose(SOURCE, {"test": np.arange(8)}, "test", listed)
    assert chosen.numbers.tolist() == [2, 3, 6]
    assert chosen.pairs is not None
    assert chosen.pairs.tolist() == [[2, 3], [6, 2]]
    assert chosen.impostor_pairs == 1


def test_nothing_to_score() -> None:
    parts = {"val": np.empty(0, np.int64)}
    with pytest.raises(UserError, match="part=val: no image is in it"):
        choose(SOURCE, parts, "val", None)
    with pytest.raises(UserError, match="pairs: none is left"):
        choose(SOURCE, parts, "val", [])
