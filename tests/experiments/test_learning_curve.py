"""The curve of a run: its snapshots' figures are those of the checkpoints, and the goal is reached where it is."""

import importlib.util
import json
from pathlib import Path

import pytest
from entry_points import TINY, call, run_script

from facenet_lit.errors import UserError
from facenet_lit.train import main

SCRIPT = Path(__file__).resolve().parents[2] / "experiments" / "learning_curve.py"
spec = importlib.util.spec_from_file_location("learning_curve", SCRIPT)
assert spec is not None
learning_curve = importlib.util.module_from_spec(spec)
spec.loader.exec_module(learning_curve)


def test_the_last_snapshot_has_the_figures_of_the_last_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = call(
        main, *TINY, "checkpoint.snapshot_seconds=1e-6", "checkpoint.best_from=1", f"hydra.run.dir={tmp_path}"
    )
    assert ended.code == 0, ended.err
    learning_curve.main(tmp_path, "test", "eer", "1")
    told = json.loads((tmp_path / "learning_curve.json").read_text())
    assert told["part"] == "test"
    assert [point["step"] for point in told["curve"]] == [1, 2, 3, 4]
    seconds = [point["seconds"] for point in told["curve"]]
    assert seconds == sorted(seconds)
    figures = json.loads((tmp_path / "metrics.json").read_text())
    last = told["curve"][-1]
    for name in ("eer", "eer_balanced", "tar", "far", "tar_at_far_1e-1", "auc"):
        assert last[name] == figures[f"test/{name}"]
    assert "test/eer is no worse than 1 from" in capsys.readouterr().out


def test_a_goal_counts_from_where_it_is_kept() -> None:
    def found(figure: str, values: list[float | None], goal: float) -> float | None:
        curve = [{"seconds": float(second), figure: value} for second, value in enumerate(values)]
        point = learning_curve.reached(curve, figure, goal)
        return None if point is None else point["seconds"]

    assert found("tar_at_far_0.1", [0.5, 0.9, 0.8, 0.9, 0.95], 0.9) == 3
    assert found("eer", [0.5, 0.1, 0.1], 0.1) == 1
    assert found("eer", [0.1, 0.5], 0.1) is None
    assert found("eer", [None, 0.1], 0.1) == 1
    assert found("eer", [], 0.1) is None
    with pytest.raises(UserError, match="wrong: expected one of seconds, eer"):
        learning_curve.reached([{"seconds": 0.0, "eer": 0.1}], "wrong", 1)


def test_a_run_without_snapshots_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("{}")
    ended = run_script(SCRIPT, tmp_path)
    assert ended.code == 2
    assert ended.err == f"error: {tmp_path}: holds no snapshots; train with checkpoint.snapshot_seconds=10\n"
