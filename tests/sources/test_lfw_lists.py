from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.errors import UserError
from facenet_lit.sources.lfw_lists import (
    ListedPair,
    read_pair_folds,
    read_pairs,
    read_people,
    read_people_folds,
)

DEV_PEOPLE = "3\nAda_L\t2\nBo\t1\nCy_D_E\t14\n"
FOLD_PEOPLE = "2\n2\nAda_L\t2\nBo\t1\n1\nCy_D_E\t14\n"
DEV_PAIRS = "2\nAda_L\t1\t4\nBo\t10\t2\nAda_L\t1\tBo\t3\nBo\t2\tCy\t1\n"
FOLD_PAIRS = "2\t1\nAda_L\t1\t4\nAda_L\t1\tBo\t3\nBo\t10\t2\nBo\t2\tCy\t1\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "list.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_development_people(tmp_path):
    assert read_people(written(tmp_path, DEV_PEOPLE)) == ["Ada_L", "Bo", "Cy_D_E"]
    assert read_people_folds(written(tmp_path, DEV_PEOPLE)) == [["Ada_L", "Bo", "Cy_D_E"]]


def test_people_in_folds(tmp_path):
    assert read_people_folds(written(tmp_path, FOLD_PEOPLE)) == [["Ada_L", "Bo"], ["Cy_D_E"]]
    assert read_people(written(tmp_path, FOLD_PEOPLE)) == ["Ada_L", "Bo", "Cy_D_E"]


def test_development_pairs(tmp_path):
    assert read_pairs(written(tmp_path, DEV_PAIRS)) == [
        ListedPair("Ada_L/Ada_L_0001.jpg", "Ada_L/Ada_L_0004.jpg", True),
        ListedPair("Bo/Bo_0010.jpg", "Bo/Bo_0002.jpg", True),
        ListedPair("Ada_L/Ada_L_0001.jpg", "Bo/Bo_0003.jpg", False),
        ListedPair("Bo/Bo_0002.jpg", "Cy/Cy_0001.jpg", False),
    ]
    assert len(read_pair_folds(written(tmp_path, DEV_PAIRS))) == 1


def test_pairs_in_folds(tmp_path):
    folds = read_pair_folds(written(tmp_path, FOLD_PAIRS))
    assert [[pair.same for pair in fold] for fold in folds] == [[True, False], [True, False]]
    assert folds[1][0] == ListedPair("Bo/Bo_0010.jpg", "Bo/Bo_0002.jpg", True)
    assert read_pairs(written(tmp_path, FOLD_PAIRS)) == folds[0] + folds[1]


@pytest.mark.parametrize("ending", ["", "\n", "\n\n\n", "\r\n"])
def test_line_ends_and_empty_lines_at_the_end_do_not_matter(tmp_path, ending):
    text = DEV_PAIRS.rstrip("\n").replace("\n", "\r\n" if ending == "\r\n" else "\n") + ending
    assert len(read_pairs(written(tmp_path, text))) == 4


@pytest.mark.parametrize(
    ("read", "text", "line", "expected"),
    [
        (read_people, "", 1, "a count"),
        (read_people, "x\nAda\t1\n", 1, "a count"),
        (read_people, "0\nAda\t1\n", 1, "a count"),
        (read_people, "2\nAda\t1\n", 3, "a name and its number"),
        (read_people, "1\nAda\t1\nBo\t1\n", 3, "the list's end"),
        (read_people, "2\nAda\t1\nBo\tone\n", 3, "a name and its number"),
        (read_people, "2\nAda\t1\nBo\t1\t2\n", 3, "a name and its number"),
        (read_people, "2\n1\nAda\t1\n2\nBo\t1\n", 6, "a name and its number"),
        (read_people, "1\nAda\t" + "1" * 5000 + "\n", 2, "a name and its number"),
        (read_pairs, "1\t2\t3\n", 1, "a count of pairs"),
        (read_pairs, "1\nAda\t1\t2\nAda\t1\t2\n", 3, "two different names"),
        (read_pairs, "1\nAda\t1\tBo\t2\nAda\t1\t2\n", 2, "a name and the numbers of two"),
        (read_pairs, "1\nAda\t2\t2\nAda\t1\tBo\t2\n", 2, "a name and the numbers of two"),
        (read_pairs, "1\nAda\t1\t2\nAda\t1\tAda\t2\n", 3, "two different names"),
        (read_pairs, "1\nAda\t1\t-2\nAda\t1\tBo\t2\n", 2, "a name and the numbers of two"),
        (read_pairs, "2\t1\nAda\t1\t2\nAda\t1\tBo\t2\n", 4, "a name and the numbers of two"),
        (read_pairs, "1\n\nAda\t1\t2\nAda\t1\tBo\t2\n", 2, "a name and the numbers of two"),
    ],
)
def test_malformed_line_is_named(tmp_path, read, text, line, expected):
    path = written(tmp_path, text)
    with pytest.raises(UserError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:{line}: found ")
    assert f"expected {expected}" in message
    assert "\n" not in message


def test_person_listed_twice(tmp_path):
    with pytest.raises(UserError, match="Ada is listed twice"):
        read_people(written(tmp_path, "2\nAda\t1\nAda\t1\n"))


def test_unreadable_file(tmp_path):
    with pytest.raises(UserError, match="can't be read as a text file"):
        read_pairs(tmp_path / "missing.txt")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="can't be read as a text file"):
        read_people(tmp_path / "binary.txt")


NAMES = st.text("ABCdef_", min_size=1, max_size=5)
NUMBERS = st.integers(1, 9999)
GENUINE = st.tuples(NAMES, NUMBERS, NUMBERS).filter(lambda pair: pair[1] != pair[2])
IMPOSTOR = st.tuples(NAMES, NUMBERS, NAMES, NUMBERS).filter(lambda pair: pair[0] != pair[2])


@given(st.lists(st.tuples(GENUINE, IMPOSTOR), min_size=1, max_size=5))
def test_folds_are_read_as_written(tmp_path_factory, folds):
    lines = [["\t".join(map(str, genuine)), "\t".join(map(str, impostor))] for genuine, impostor in folds]
    text = f"{len(folds)}\t1\n" + "\n".join("\n".join(pair) for pair in lines)
    path = written(tmp_path_factory.getbasetemp(), text)
    for (genuine, impostor), (first, second) in zip(folds, read_pair_folds(path), strict=True):
        name, one, other = genuine
        assert first == (f"{name}/{name}_{one:04d}.jpg", f"{name}/{name}_{other:04d}.jpg", True)
        assert second.first == f"{impostor[0]}/{impostor[0]}_{impostor[1]:04d}.jpg"
        assert second.second == f"{impostor[2]}/{impostor[2]}_{impostor[3]:04d}.jpg"
        assert not second.same
