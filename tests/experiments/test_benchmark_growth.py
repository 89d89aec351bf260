from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from benchmarks.growth import SERIES, WORKS, Point, draw, main, write

POINTS = [Point("draws", 10, 0.5, 3.0), Point("draws", 100, 4.0, 0.0), Point("mining", 256, 0.1, 7.0)]


@pytest.mark.parametrize("name", list(SERIES))
def test_each_series_has_its_work_at_any_size(name: str) -> None:
    WORKS[name](300)()


def test_points_and_picture_are_written_with_the_machine(tmp_path: Path) -> None:
    write(POINTS, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "growth.jsonl").read_text().splitlines()]
    assert [(line["series"], line["size"], line["seconds"], line["memory"]) for line in lines] == POINTS
    assert lines[0]["threads"] == 1
    assert lines[0]["processor"]
    assert {file.name for file in tmp_path.iterdir()} == {"growth.jsonl", "growth.png"}


def test_the_picture_has_a_line_for_each_series() -> None:
    times, memory = draw(POINTS).axes
    assert [line.get_xydata().tolist() for line in times.lines] == [[[10, 0.5], [100, 4.0]], [[256, 0.1]]]
    assert len(memory.lines) == 2
    assert times.get_xscale() == times.get_yscale() == "log"


def test_the_command_measures_in_processes_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    threads = torch.get_num_threads()
    main([], {"draws": (50,)}, tmp_path)
    assert torch.get_num_threads() == threads
    assert capsys.readouterr().out.startswith("draws, 50: ")
    assert json.loads((tmp_path / "growth.jsonl").read_text())["size"] == 50
