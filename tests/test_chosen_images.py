import logging
from pathlib import Path

import numpy as np
import pytest
from tiny_lfw import FOLDS, write_lists

from facenet_lit.chosen_images import choose, read_list
from facenet_lit.errors import UserError
from facenet_lit.sources.lfw_lists import ListedPair, read_pairs
from facenet_lit.sources.synthetic import SyntheticFaces

SOURCE = SyntheticFaces(4, 2)  # two images each, one person after another


def test_a_part_is_scored_by_all_its_pairs() -> None:
    parts = {"val": np.arange(2), "test": np.arange(2, 8)}
    chosen = choose(SOURCE, parts, "test", None)
    assert chosen.numbers.tolist() == [2, 3, 4, 5, 6, 7]
    assert chosen.folds is None
    assert chosen.impostor_pairs == 12
    assert choose(SOURCE, parts, "all", None).numbers.tolist() == chosen.numbers.tolist()


def test_listed_pairs_are_scored_alone() -> None:
    files = SOURCE.files
    listed = [ListedPair(files[2], files[3], True), ListedPair(files[6], files[2], False)]
    chosen = choose(SOURCE, {"test": np.arange(8)}, "test", [listed[:1], [], listed[1:]])
    assert chosen.numbers.tolist() == [2, 3, 6]
    assert chosen.folds is not None
    assert [fold.tolist() for fold in chosen.folds] == [[[2, 3]], [], [[6, 2]]]
    assert chosen.impostor_pairs == 1


@pytest.mark.parametrize("fold", [1, 10])
def test_of_a_list_in_folds_one_may_be_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, fold: int
) -> None:
    write_lists(tmp_path)
    whole = read_list(tmp_path / "pairs.txt", None)
    assert [len(pairs) for pairs in whole] == [6] * 10
    with caplog.at_level(logging.INFO):
        assert read_list(tmp_path / "pairs.txt", fold) == [whole[fold - 1]]
    assert caplog.messages == [
        f"{tmp_path / 'pairs.txt'}: 6 of 60 pairs are scored, those of fold {fold} alone"
    ]
    assert {pair.first.split("/")[0] for pair in whole[fold - 1]} == set(FOLDS[fold - 1])


def test_a_list_without_folds_is_read_whole(tmp_path: Path) -> None:
    write_lists(tmp_path)
    assert read_list(tmp_path / "pairsDevTest.txt", 3) == [read_pairs(tmp_path / "pairsDevTest.txt")]
    (tmp_path / "two.txt").write_text("2\t1\n" + "A\t1\t2\nA\t1\tB\t1\n" * 2)
    assert len(read_list(tmp_path / "two.txt", None)) == 2
    with pytest.raises(UserError, match=r"two\.txt: 2 folds; expected the ten of LFW's view 2"):
        read_list(tmp_path / "two.txt", 1)


def test_a_home_folder_may_be_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_lists(tmp_path)
    assert read_list("~/pairs.txt", None) == read_list(tmp_path / "pairs.txt", None)


def test_nothing_to_score() -> None:
    parts = {"val": np.empty(0, np.int64)}
    with pytest.raises(UserError, match="part=val: no image is in it"):
        choose(SOURCE, parts, "val", None)
    with pytest.raises(UserError, match="pairs: none is left"):
        choose(SOURCE, parts, "val", [])
