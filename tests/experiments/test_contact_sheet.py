import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facenet_lit.sources.synthetic import SyntheticFaces

SCRIPT = Path(__file__).resolve().parents[2] / "experiments" / "contact_sheet.py"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_a_row_is_an_identity_and_a_column_a_picture_of_it(tmp_path: Path) -> None:
    ended = run(tmp_path / "sheet.png", 2, 3, 32, 7)
    assert ended.returncode == 0, ended.stderr
    sheet = cv2.cvtColor(cv2.imread(str(tmp_path / "sheet.png")), cv2.COLOR_BGR2RGB)
    assert sheet.shape == (2 * 36 - 4, 3 * 36 - 4, 3)
    for number, draw in SyntheticFaces(2, 3, 32, 7).pictures():
        top, left = 36 * (number // 3), 36 * (number % 3)
        np.testing.assert_array_equal(sheet[top : top + 32, left : left + 32], draw())
    assert (sheet[32:36] == 255).all()
    assert [file.name for file in tmp_path.iterdir()] == ["sheet.png"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 1, "python experiments/contact_sheet.py FILE"),
        (("sheet.gif",), 2, "error: sheet.gif: expected a name that ends in .png or .jpg"),
        (("missing/sheet.png",), 2, "error: missing/sheet.png: expected a folder that exists; make missing"),
        (("sheet.png", 2, 3, 8, 0), 2, "error: data.size=8: expected an integer of 16 or more"),
        (("sheet.png", 2, "three", 64, 0), 2, "error: data.images='three': expected an integer"),
    ],
)
def test_wrong_arguments_get_one_line(arguments: tuple[object, ...], code: int, said: str) -> None:
    ended = run(*arguments)
    assert ended.returncode == code
    assert said in ended.stderr
    assert code == 1 or len(ended.stderr.splitlines()) == 1
