import csv
import json
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import optuna
import pytest
import yaml
from entry_points import NETWORK, SETTINGS, call, process, stop_at

from facenet_lit.sweep import shortened, sweep_csv, sweep_rows
from facenet_lit.train import main

ROOT = Path(__file__).resolve().parents[1]
SMALL = [*SETTINGS, "trainer.steps=2", "model.embedding_size=16", "test=false"]
TINY = [*SMALL, *NETWORK]


def test_a_sweep_leaves_a_run_per_job_and_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ended = call(main, "--multirun", *SMALL, "model=inception,resnext")
    assert ended.code == 0, ended.err
    (sweep,) = Path("runs/sweeps").iterdir()  # one for all jobs, though its name has the microsecond
    rows = table(f"{sweep}/sweep.csv")
    assert [(row["job"], row["model"]) for row in rows] == [("0", "inception"), ("1", "resnext")]
    for row in rows:
        figures = json.loads(Path(sweep, row["job"], "metrics.json").read_text())
        assert row["trainer.steps"] == "2"
        assert float(row["val/eer_balanced"]) == figures["val/eer_balanced"]
        assert row["val/tar_at_far_1e-3"] == ""
        assert Path(sweep, row["job"], "checkpoints", "best.ckpt").is_file()
    assert ended.out.splitlines()[-1] == f"all figures in {sweep}/sweep.csv"


def table(path: str) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_a_failing_job_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = ("--multirun", *TINY, "loss.margin=0.1,-1,0.3", "hydra.sweep.dir=sweep")
    ended = call(main, *sweep)
    assert ended.code == 2
    assert "Traceback" not in ended.out + ended.err
    assert ended.err.splitlines()[-1] == "error: 1 jobs of the sweep failed, see above and sweep.csv"
    told = [line for line in ended.out.splitlines() if line.startswith("error: ")]
    assert len(told) == 1
    assert "loss.margin=-1: expected a number" in told[0]
    rows = table("sweep/sweep.csv")
    assert ["loss.margin=-1" in row["error"] for row in rows] == [False, True, False]
    assert [row["val/eer_balanced"] != "" for row in rows] == [True, False, True]


def test_a_sweep_in_a_named_folder_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = ("--multirun", *TINY, "loss.margin=0.1,0.2", "resume=auto")
    refused = call(main, *sweep)
    assert refused.code == 2
    assert refused.err.startswith("error: resume=auto: the sweep's folder has the time in its name")
    assert "hydra.sweep.dir=" in refused.err
    assert list(tmp_path.iterdir()) == []
    sweep = (*sweep, "hydra.sweep.dir=sweep")
    with monkeypatch.context() as patch:
        stop_at(patch, "on_validation_end", 2, signal.SIGTERM)
        assert call(main, *sweep).code == 143  # in the first job, and with it the sweep
    assert not Path("sweep/sweep.csv").exists()
    ended = call(main, *sweep)
    assert ended.code == 0, ended.err
    assert "resume=auto: going on from step 2 in" in ended.out
    assert "resume=auto: no unfinished run of this config, starting anew" in ended.out
    before = Path("sweep/sweep.csv").read_text()
    again = call(main, *sweep)
    assert again.code == 0
    assert again.out.count("finished; nothing is left to do") == 2
    assert Path("sweep/sweep.csv").read_text() == before
    refused = call(main, *sweep, "resume=null")
    assert refused.code == 2
    assert refused.err.startswith(
        "error: sweep/0: holds a finished run of this config (resume=auto skips it)"
    )
    other = call(main, "--multirun", *TINY, "loss.margin=0.3,0.2", "hydra.sweep.dir=sweep")
    assert other.err.startswith("error: sweep/0: holds a finished run; name another folder")
    assert Path("sweep/sweep.csv").read_text() == before


def job(folder: Path, name: str, overrides: list[str], figures: dict | None) -> None:
    (folder / name / ".hydra").mkdir(parents=True)
    (folder / name / ".hydra" / "overrides.yaml").write_text(json.dumps(overrides))
    if figures is not None:
        (folder / name / "metrics.json").write_text(json.dumps(figures))


def test_rows_stand_in_the_order_of_the_jobs(tmp_path: Path) -> None:
    for number in (10, 2, 0):
        job(tmp_path, str(number), [f"seed={number}", "+a.b='x=y'", "~c"], {"val/eer": number / 100})
    job(tmp_path, "1", ["seed=1"], None)  # not finished
    (tmp_path / "0" / "run.json").write_text('{"ended_by": null}')
    (tmp_path / "10" / "run.json").write_text('{"ended_by": "collapse"}')
    rows = sweep_rows(tmp_path, {"2": "seed=2: too large"})
    assert "ended_by" not in rows[0]
    assert rows[3].pop("ended_by") == "collapse"
    assert [row["job"] for row in rows] == ["0", "1", "2", "10"]
    assert rows[3] == {"job": "10", "seed": "10", "a.b": "'x=y'", "val/eer": 0.1}
    assert rows[1] == {"job": "1", "seed": "1"}
    # What figures lie in the folder of a job that failed are of another run.
    assert rows[2] == {"job": "2", "seed": "2", "a.b": "'x=y'", "error": "seed=2: too large"}


def test_the_console_gets_what_differs_and_the_main_figures() -> None:
    ends = {
        "test/eer_balanced_low": 0.2,
        "test/eer_balanced_high": 0.4,
        "test/tar_low": 0.4,
        "test/tar_high": 0.6,
    }
    rows = [
        {"job": "0", "model": "inception", "seed": "0", "val/eer_balanced": 0.2, "val/auc": 0.9},
        {"job": "2", "model": "timm", "test/eer_balanced": 0.3, "test/tar": 0.5, **ends, "seed": "0"},
        {"job": "1", "model": "resnext", "seed": "0", "error": "loss.margin=abc"},
    ]
    assert shortened(rows) == [
        {"job": "0", "model": "inception", "val/eer_balanced": "0.2000"},
        {"job": "2", "model": "timm", "test/eer_balanced": "0.3000 [0.200, 0.400]", "test/tar": 0.5},
        {"job": "1", "model": "resnext", "error": "loss.margin=abc"},
    ]


def test_the_table_has_a_column_for_each_key() -> None:
    rows = [{"job": "0", "a": "x,y"}, {"job": "1", "b": None}]
    assert sweep_csv(rows) == 'job,a,b\n0,"x,y",\n1,,\n'


SEARCH = ("--multirun", "--config-dir", str(ROOT / "experiments"), "+study=search", "data.cache=null")


def trials(folder: Path) -> list[str]:
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{folder}/runs/sweeps/search/study.db")
    return [trial.state.name for trial in study.get_trials()]


def any_completed(database: Path) -> bool:
    """Whether a trial is done, of a study whose tables may not be there yet."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("SELECT 1 FROM trials WHERE state = 'COMPLETE'").fetchall())
    except sqlite3.OperationalError:
        return False


def test_a_search_goes_on_with_its_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for count in (1, 2):
        ended = call(main, *SEARCH, *TINY, "hydra.sweeper.n_trials=1")
        assert ended.code == 0, ended.err
        assert trials(tmp_path) == ["COMPLETE"] * count
    rows = table("runs/sweeps/search/sweep.csv")
    assert len({row["job"] for row in rows}) == 2  # each start has folders of its own
    assert len({row["optimizer.lr"] for row in rows}) == 2
    best = yaml.safe_load(Path("runs/sweeps/search/optimization_results.yaml").read_text())["best_value"]
    assert best == min(float(row["val/eer_balanced"]) for row in rows)
    assert not any(name.startswith("test/") for name in rows[0])


@pytest.mark.slow
def test_a_search_that_was_killed_is_gone_on_with(tmp_path: Path) -> None:
    search = process([*SEARCH, *TINY, "hydra.sweeper.n_trials=50"], tmp_path)
    end = time.monotonic() + 120
    while not any_completed(tmp_path / "runs/sweeps/search/study.db") and time.monotonic() < end:
        time.sleep(0.2)
    search.kill()
    search.communicate()
    before = trials(tmp_path)
    assert "COMPLETE" in before
    ended = process([*SEARCH, *TINY, "hydra.sweeper.n_trials=1"], tmp_path)
    out, _ = ended.communicate(timeout=300)
    assert ended.returncode == 0, out
    assert trials(tmp_path) == [*before, "COMPLETE"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "launcher",
    [
        ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
        ("hydra/launcher=submitit_local", "hydra.launcher.timeout_min=10"),
    ],
    ids=["joblib", "submitit"],
)
def test_jobs_of_a_sweep_side_by_side(tmp_path: Path, launcher: tuple[str, ...]) -> None:
    settings = ("--multirun", *TINY, "data.cache=null", "seed=0,1", "hydra.sweep.dir=sweep", *launcher)
    ended = process(settings, tmp_path)
    out, _ = ended.communicate(timeout=300)
    assert ended.returncode == 0, out
    rows = table(str(tmp_path / "sweep" / "sweep.csv"))
    assert [row["seed"] for row in rows] == ["0", "1"]
    assert all(row["val/eer_balanced"] for row in rows)


def test_an_interval_needs_a_sweeper_that_takes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ended = call(main, "--multirun", *SMALL, "optimizer.lr=interval(1e-4,1e-2)")
    assert ended.code == 2
    assert ended.err.startswith(
        "error: optimizer.lr=interval(1e-4,1e-2): an interval can't be gone through; say "
    )
    assert len(ended.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())
