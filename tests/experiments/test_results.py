"""A study's results are what its runs' files say; its table and picture are made of them alone."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "experiments"))
import results


def finish(
    sweep: Path,
    job: int,
    model: str,
    seed: int,
    eer: float | None,
    config: str | None = None,
    more: Sequence[str] = (),
) -> None:
    """Files of a finished run as they are left by one; unfinished where it has no EER."""
    folder = sweep / str(job)
    (folder / ".hydra").mkdir(parents=True)
    overrides = ["+study=mine", f"model={model}", f"seed={seed}", "data.root=somewhere", *more]
    (folder / ".hydra" / "overrides.yaml").write_text(yaml.safe_dump(overrides))
    facts = {
        "commit": "abc",
        "config": config or f"{model}{seed}",
        "seed": seed,
        "steps": 10 + seed,
        "seconds": 2.6,
        "images_per_second": 90.4,
    }
    (folder / "run.json").write_text(json.dumps(facts))
    if eer is not None:
        figures = {
            "test/eer": eer, "test/eer_balanced": eer / 2, "val/eer": 0.5, "val/eer_balanced": 0.25,
            "val/tar_at_far_1e-2": None, "test/tar_at_far_1e-2": 0.75, "val/tar_at_far_1e-2_balanced": None,
        }  # fmt: skip
        (folder / "metrics.json").write_text(json.dumps(figures))


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    for job, (seed, eer) in enumerate([(0, 0.3), (1, 0.1), (2, 0.2)]):
        finish(tmp_path / "sweep", job, "resnext", seed, eer)
    finish(tmp_path / "sweep", 3, "inception", 0, 0.4)
    finish(tmp_path / "sweep", 4, "inception", 1, None)
    return tmp_path / "sweep"


def test_a_row_is_what_a_finished_run_says(sweep: Path) -> None:
    rows = results.runs_of(sweep)
    assert len(rows) == 4
    assert rows[1]["choice"] == {"model": "resnext"}
    assert (rows[1]["seed"], rows[1]["steps"], rows[1]["commit"]) == (1, 11, "abc")
    assert (rows[1]["test/eer"], rows[1]["val/tar_at_far_1e-2"]) == (0.1, None)
    assert "somewhere" not in json.dumps(rows)


def test_a_choice_is_all_but_what_says_where_and_how(tmp_path: Path) -> None:
    more = [
        "loss.margin=0.1",
        "~callbacks",
        "data.cache=c",
        "data.lists=l",
        "resume=auto",
        "hydra.sweep.dir=h",
    ]
    finish(tmp_path, 0, "resnext", 3, 0.5, more=[*more, "data.size=96"])
    [row] = results.runs_of(tmp_path)
    assert row["choice"] == {"model": "resnext", "loss.margin": "0.1", "data.size": "96"}


def test_results_grow_and_a_repeated_run_replaces_the_old(sweep: Path, tmp_path: Path) -> None:
    place = tmp_path / "experiments"
    assert results.record("mine", sweep, place) == 4
    first = results.read("mine", place)
    assert results.record("mine", sweep, place) == 4
    assert results.read("mine", place) == first
    finish(tmp_path / "again", 0, "resnext", 0, 0.9, config="resnext0")
    finish(tmp_path / "again", 1, "resnext", 5, 0.8)
    assert results.record("mine", tmp_path / "again", place) == 5
    told = {row["config"]: row["test/eer"] for row in results.read("mine", place)}
    assert (told["resnext0"], told["resnext5"], told["resnext1"]) == (0.9, 0.8, 0.1)


def test_the_loss_on_the_way_is_kept_where_a_run_kept_it(sweep: Path) -> None:
    assert "curve" not in results.runs_of(sweep)[0]
    lines = [
        "step,train/loss,val/loss",
        *(f"{step},{1 / step},{step if step % 5 == 0 else ''}" for step in range(1, 101)),
    ]
    (sweep / "0" / "metrics.csv").write_text("\n".join([*lines, "100,,0.5"]) + "\n")
    curve = results.runs_of(sweep)[0]["curve"]
    assert curve["step"][:2] == [1, 2]
    assert curve["train/loss"] == [round(1 / step, 5) for step in curve["step"]]


@pytest.mark.parametrize("study", results.studies())
def test_every_kept_table_is_that_of_its_results(study: str) -> None:
    made = results.table(results.by_cell(results.read(study), results.cells_of(study)))
    assert (results.HERE / study / "table.md").read_text() == made + "\n"
    assert (results.HERE / study / "picture.png").is_file() == bool(results.read(study))


def test_two_runs_are_compared_figure_by_figure() -> None:
    kept = {
        "config": "a",
        "commit": "0" * 40,
        "test/eer": 0.25,
        "test/far": None,
        "test/eer_low": 0.1,
        "val/eer": 1.0,
    }
    again = {
        "config": "b",
        "commit": "1" * 40,
        "test/eer": 0.5,
        "test/far": 0.5,
        "test/eer_low": 0.1,
        "val/eer": 1.0,
    }
    assert results.compared(kept, again) == [
        "test/eer: 0.25 kept, 0.5 now",
        "largest difference 0.25, another config (or other paths), commits 0000000 and 1111111",
    ]


@pytest.mark.slow
def test_a_rerun_repeats_the_cheapest_run_to_the_digit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On drawn faces, by the study of make train with a budget in steps."""
    small = [
        "data=synthetic_tiny",
        "sampler.identities=4",
        "sampler.images=2",
        "data.batch_size=8",
        "trainer.steps=2",
    ]
    command = [
        sys.executable, "-m", "facenet_lit.train", "--config-dir", str(results.HERE), "+study=synthetic", *small,
        "seed=3", "~logger", f"hydra.run.dir={tmp_path}/sweep/0",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    monkeypatch.setattr(results, "read", lambda study: results.runs_of(tmp_path / "sweep"))
    assert results.rerun("synthetic", ["~logger"])[-1].startswith("largest difference 0, the same config, ")


def test_the_command_line(monkeypatch: pytest.MonkeyPatch, sweep: Path, tmp_path: Path, capsys) -> None:
    monkeypatch.setattr(results, "HERE", tmp_path / "experiments")
    with pytest.raises(SystemExit, match="no results yet"):
        results.main(["rerun", "mine"])
    with pytest.raises(SystemExit, match="record NAME SWEEP"):
        results.main(["tables"])
    results.main(["record", "mine", str(sweep)])
    monkeypatch.setattr(results, "cells_of", lambda study: [{"model": "resnext"}, {"model": "timm"}])
    results.main(["table", "mine"])
    assert (tmp_path / "experiments" / "mine" / "picture.png").is_file()
    written = (tmp_path / "experiments" / "mine" / "table.md").read_text()
    assert capsys.readouterr().out.endswith(written)
