import io

import pytest
from rich.console import Console
from rich.table import Table

from facenet_lit.report import figures_table, rows_table, show


def printed(table: Table) -> list[str]:
    console = Console(file=io.StringIO(), width=120)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def cells(lines: list[str], first: str) -> list[str]:
    line = next(line for line in lines if first in line.split())
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_balanced_figures_stand_beside_those_over_pairs() -> None:
    figures = {"val/eer": 0.125, "val/eer_balanced": 0.25, "val/far": None, "test/eer": 0.5}
    lines = printed(figures_table(figures, "best"))
    assert lines[0].strip() == "best"
    assert cells(lines, "eer") == ["eer", "0.1250", "0.2500", "0.5000", ""]
    assert cells(lines, "far") == ["far", "-", "", "", ""]


def test_bounds_stand_behind_their_figure() -> None:
    figures = {"val/eer": 0.125, "val/eer_low": 0.1, "val/eer_high": 0.1504, "val/eer_balanced": 0.25}
    lines = printed(figures_table(figures, "best"))
    assert cells(lines, "eer") == ["eer", "0.1250 [0.100, 0.150]", "0.2500"]
    assert not [line for line in lines if "eer_" in line]


def test_rows_of_different_keys_share_a_table() -> None:
    lines = printed(rows_table([{"job": "0", "lr": "1e-3"}, {"job": "1", "eer": 0.5}], "2 jobs"))
    assert cells(lines, "1e-3") == ["0", "1e-3", ""]
    assert cells(lines, "0.5000") == ["1", "", "0.5000"]


def test_shows_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    show(figures_table({"val/eer": 0.125}, "best"))
    assert "0.1250" in capsys.readouterr().out
    title = f"{'long/' * 30}best.ckpt: [all] pairs"
    show(figures_table({"val/eer": 0.125}, title))
    assert capsys.readouterr().out.splitlines()[0] == title
