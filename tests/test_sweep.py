import csv
import json
from pathlib import Path

import pytest
from entry_points import SETTINGS, call

from facenet_lit.sweep import sweep_csv, sweep_rows
from facenet_lit.train import main

SMALL = [*SETTINGS, "trainer.steps=2", "model.embedding_size=16", "test=false"]


def test_a_sweep_leaves_a_run_per_job_and_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ended = call(main, "--multirun", *SMALL, "model=inception,resnext", "hydra.sweep.dir=sweep")
    assert ended.code == 0, ended.err
    with open("sweep/sweep.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["job"], row["model"]) for row in rows] == [("0", "inception"), ("1", "resnext")]
    for row in rows:
        figures = json.loads(Path("sweep", row["job"], "metrics.json").read_text())
        assert row["trainer.steps"] == "2"
        assert float(row["val/eer_balanced"]) == figures["val/eer_balanced"]
        assert row["val/tar_at_far_1e-3"] == ""
        assert Path("sweep", row["job"], "checkpoints", "best.ckpt").is_file()
    assert "2 jobs, all figures in sweep/sweep.csv" in ended.out


def job(folder: Path, name: str, overrides: list[str], figures: dict | None) -> None:
    (folder / name / ".hydra").mkdir(parents=True)
    (folder / name / ".hydra" / "overrides.yaml").write_text(json.dumps(overrides))
    if figures is not None:
        (folder / name / "metrics.json").write_text(json.dumps(figures))


def test_rows_stand_in_the_order_of_the_jobs(tmp_path: Path) -> None:
    for number in (10, 2, 0):
        job(tmp_path, str(number), [f"seed={number}", "+a.b='x=y'", "~c"], {"val/eer": number / 100})
    job(tmp_path, "1", ["seed=1"], None)  # not finished
    rows = sweep_rows(tmp_path)
    assert [row["job"] for row in rows] == ["0", "1", "2", "10"]
    assert rows[3] == {"job": "10", "seed": "10", "a.b": "'x=y'", "val/eer": 0.1}
    assert rows[1] == {"job": "1", "seed": "1"}


def test_the_table_has_a_column_for_each_key() -> None:
    rows = [{"job": "0", "a": "x,y"}, {"job": "1", "b": None}]
    assert sweep_csv(rows) == 'job,a,b\n0,"x,y",\n1,,\n'
