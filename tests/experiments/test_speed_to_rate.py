"""Seconds to a rate: told from where it stays reached, and as not reached where it is not."""

import json
from pathlib import Path

import pytest
import speed_to_rate
from entry_points import run_script


def curve(*values: float) -> list[dict[str, float]]:
    """A point every ten seconds."""
    return [
        {"seconds": 10.0 * place, "step": place, "tar_at_far_0.354": value, "eer_balanced": 0.5 - value / 4}
        for place, value in enumerate(values, 1)
    ]


def test_the_kept_table_is_that_of_the_kept_curves() -> None:
    kept = json.loads((speed_to_rate.HERE / "curves.json").read_text())
    assert (speed_to_rate.HERE / "curves.md").read_text() == speed_to_rate.table(kept) + "\n"


def test_each_way_has_its_own_line_and_colour() -> None:
    curves = {
        way: [{"curve": curve(value, value)}]
        for way, value in zip(speed_to_rate.NAMES, (0.95, 0.96, 0.5), strict=True)
    }
    lines = [line.split(" | ") for line in speed_to_rate.table(curves).splitlines()[2:]]
    assert [(line[0], line[2]) for line in lines] == [
        ("| facenet_lit, study ninety_seconds", "10"),
        ("| facenet_lit, study speed_to_rate", "10"),
        ("| facenet-pytorch's network, pytorch-metric-learning, plain loop", "not reached"),
    ]
    rates = speed_to_rate.picture(curves).axes[0]
    assert [line.get_ydata()[0] for line in rates.lines[:3]] == [0.95, 0.96, 0.5]
    assert len({line.get_color() for line in rates.lines[:3]}) == 3
    assert rates.get_xscale() == "log"


def test_a_missing_file_is_told_in_a_line() -> None:
    ended = run_script(Path(speed_to_rate.__file__), "nowhere.json", "--", "--")
    assert ended.code == 2
    assert ended.err == "error: nowhere.json: no such file; of a way that is not run leave it out\n"


def test_the_table_and_the_picture_are_made_of_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(speed_to_rate, "HERE", tmp_path / "kept")
    speed_to_rate.main([])
    assert capsys.readouterr().out == "speed_to_rate: not run\n"
    files = []
    for name, values in {"a": (0.95, 0.9, 0.95, 0.96), "b": (0.95, 0.98), "usual": (0.5, 0.6)}.items():
        files.append(str(tmp_path / name))
        Path(files[-1]).write_text(json.dumps({"part": "test", "curve": curve(*values)}))
    speed_to_rate.main([*files[:2], "--", "--", files[2]])
    lines = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines()
    ]
    assert lines[2][1:] == ["2", "30, 10", "4, 2", "40, 20", "0.9700", "0.2575"]
    assert lines[3][1:3] == ["0", "not run"]
    assert lines[4][1:] == ["1", "not reached", "2", "20", "0.6000", "0.3500"]
    with pytest.raises(SystemExit, match="SHORT"):
        speed_to_rate.main([*files[:2], "--", files[2]])
    table = (tmp_path / "kept" / "curves.md").read_text()
    (tmp_path / "kept" / "curves.md").unlink()
    speed_to_rate.main([])
    assert (tmp_path / "kept" / "curves.md").read_text() == table
    rates, errors = speed_to_rate.picture(json.loads((tmp_path / "kept" / "curves.json").read_text())).axes
    assert [list(line.get_ydata()) for line in errors.lines] == [
        pytest.approx([0.5 - value / 4 for value in values])
        for values in ((0.95, 0.9, 0.95, 0.96), (0.95, 0.98), (0.5, 0.6))
    ]
    assert len(rates.lines) == 4  # and the goal
