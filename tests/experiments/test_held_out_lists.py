import subprocess
import sys
from pathlib import Path

import pytest

from facenet_lit.sources.lfw_lists import read_pairs, read_people

SCRIPT = Path(__file__).resolve().parents[2] / "experiments" / "held_out_lists.py"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("count", [41, 40])
def test_every_person_is_held_out_once(tmp_path: Path, count: int) -> None:
    images = {f"Person_{number:02d}": 1 + number % 3 for number in range(count)}
    lines = [str(count), *(f"{name}\t{number}" for name, number in images.items())]
    (tmp_path / "peopleDevTrain.txt").write_text("\n".join(lines) + "\n")
    held_out: list[str] = []
    for quarter in range(4):
        ended = run(tmp_path, tmp_path / "out", quarter)
        assert ended.returncode == 0, ended.stderr
        train, test = (read_people(tmp_path / "out" / f"peopleDev{part}.txt") for part in ("Train", "Test"))
        assert sorted([*train, *test]) == sorted(images)
        assert len(test) in (count // 4, count // 4 + 1)
        held_out += test
        listed = read_pairs(tmp_path / "out" / "pairsDevTest.txt")
        assert sum(pair.same for pair in listed) * 2 == len(listed) > 0
        for name in (name for pair in listed for name in (pair.first, pair.second)):
            person, number = name.split("/")[0], int(name[-8:-4])
            assert person in test
            assert number <= images[person]
    assert sorted(held_out) == sorted(images)


def test_it_says_how_it_is_used() -> None:
    ended = run()
    assert ended.returncode == 1
    assert "python experiments/held_out_lists.py LISTS FOLDER" in ended.stderr
