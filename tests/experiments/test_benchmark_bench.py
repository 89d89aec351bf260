from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from benchmarks import harness
from benchmarks.bench import HEAD, draw, line, main, seconds, write
from benchmarks.harness import Measured

LOADED = Measured("pictures", 0.01, 2.0, 0.0005, 12.4, 1234.5, "ImageFolder", "memcpy")
ALONE = Measured("step", 0.5, None, None, 3.0, None, "", "")
ROWS = """
from benchmarks.harness import Row

def nothing():
    pass

def rows():
    return [Row("an odd work", nothing, None, None, nothing, "", ""), Row("even", nothing, None, None, nothing, "", "")]
"""


def test_a_line_tells_times_ratios_and_memory() -> None:
    assert line(LOADED) == (
        "| pictures | 10 ms | 2 s | 500 us | 20.00 | 200.0 | 12 MiB | 1,234 MiB | ImageFolder | memcpy |"
    )
    assert line(ALONE) == "| step | 500 ms |  |  |  |  | 3 MiB |  |  |  |"
    assert line(ALONE).count("|") == HEAD.splitlines()[0].count("|")
    assert [seconds(value) for value in (21.04, 0.02904, 0.00007)] == ["21 s", "29 ms", "70 us"]


def test_table_lines_and_picture_are_written_with_the_machine(tmp_path: Path) -> None:
    write([LOADED, ALONE], {"processor": "some", "cores": 2, "gpu": None}, tmp_path)
    table = (tmp_path / "table.md").read_text()
    assert line(LOADED) + "\n" + line(ALONE) in table
    assert table.endswith("processor some, cores 2\n")
    first, second = map(json.loads, (tmp_path / "measured.jsonl").read_text().splitlines())
    assert (first["peer"], first["cores"], second["bound"]) == (2.0, 2, None)
    assert (tmp_path / "times.png").stat().st_size > 5000
    assert {file.name for file in tmp_path.iterdir()} == {"table.md", "measured.jsonl", "times.png"}


def test_the_picture_has_what_was_measured() -> None:
    (axes,) = draw([LOADED, ALONE]).axes
    labelled = {drawn.get_label(): drawn.get_xydata().tolist() for drawn in axes.lines}
    assert labelled["ours"] == [[0.5, 0], [0.01, 1]]
    assert labelled["peer"] == [[2.0, 1]]
    assert labelled["bound"] == [[0.0005, 1]]


def test_a_row_is_chosen_by_its_name_and_then_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(harness, "LONG_ENOUGH", 0.0)
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "made_up_rows.py").write_text(ROWS)
    monkeypatch.syspath_prepend(tmp_path)  # of a folder without __init__.py every part on the path counts
    threads = torch.get_num_threads()
    main(["odd"], ["made_up_rows"], tmp_path)
    torch.set_num_threads(threads)
    head, _, *lines = capsys.readouterr().out.splitlines()
    assert head == HEAD.splitlines()[0]
    assert [line.split(" | ")[0] for line in lines] == ["| an odd work"]
    assert not (tmp_path / "table.md").exists()
