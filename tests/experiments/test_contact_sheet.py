from pathlib import Path

import cv2
import numpy as np
import pytest
from entry_points import run_script

from facenet_lit.sources.synthetic import SyntheticFaces

SCRIPT = Path(__file__).resolve().parents[2] / "experiments" / "contact_sheet.py"


def test_a_row_is_an_identity_and_a_column_a_picture_of_it(tmp_path: Path) -> None:
    ended = run_script(SCRIPT, tmp_path / "sheet.png", 2, 3, 32, 7)
    assert ended.code == 0, ended.err
    sheet = cv2.cvtColor(cv2.imread(str(tmp_path / "sheet.png")), cv2.COLOR_BGR2RGB)
    assert sheet.shape == (2 * 36 - 4, 3 * 36 - 4, 3)
    for number, draw in SyntheticFaces(2, 3, 32, 7).pictures():
        top, left = 36 * (number // 3), 36 * (number % 3)
        np.testing.assert_array_equal(sheet[top : top + 32, left : left + 32], draw())
    assert (sheet[32:36] == 255).all()
    assert [file.name for file in tmp_path.iterdir()] == ["sheet.png"]


def test_without_arguments_it_says_how_it_is_used() -> None:
    ended = run_script(SCRIPT)
    assert ended.code == 1
    assert "python experiments/contact_sheet.py FILE" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sheet.gif",), "error: sheet.gif: expected a name that ends in .png or .jpg"),
        (("missing/sheet.png",), "error: missing/sheet.png: expected a folder that exists; make missing"),
        (("sheet.png", 2, "three", 64, 0), "error: data.images='three': expected an integer of 1 or more"),
    ],
)
def test_wrong_arguments_get_one_line(arguments: tuple[object, ...], said: str) -> None:
    ended = run_script(SCRIPT, *arguments)
    assert ended.code == 2
    assert ended.err == said + "\n"
