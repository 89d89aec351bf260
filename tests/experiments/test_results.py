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
from tiny_lfw import write_lfw


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
    assert row["choice"] == {"model": "resnext", "loss.margin": "0.1", "data.lists": "l", "data.size": "96"}


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
        "step,health/unmined_loss,val/loss",
        *(f"{step},{1 / step if step != 5 else 'nan'}," for step in range(1, 100)),
    ]
    (sweep / "0" / "metrics.csv").write_text("\n".join([*lines, "99,,0.5", "100,0.01,"]) + "\n")
    curve = results.runs_of(sweep)[0]["curve"]
    assert curve["step"] == [*range(1, 100), 100]
    assert curve["loss"] == [round(1 / step, 5) if step != 5 else None for step in curve["step"]]


def test_a_run_that_is_over_without_figures_is_a_result(sweep: Path) -> None:
    facts = {
        "commit": "abc",
        "config": "i1",
        "seed": 1,
        "ended_by": "nan",
        "best_step": None,
        "health": ["nan at step 9: x"],
    }
    (sweep / "4" / "run.json").write_text(json.dumps(facts))
    row = results.runs_of(sweep)[4]
    assert (row["ended_by"], row["choice"], "test/eer" in row) == ("nan", {"model": "inception"}, False)


def test_rates_over_drawn_triplets_are_taken_in(sweep: Path) -> None:
    (sweep / "0" / "origin.json").write_text(json.dumps({"val": {"tar": 0.75, "far": 0.25}}))
    row = results.runs_of(sweep)[0]
    assert (row["origin/val/tar"], row["origin/val/far"]) == (0.75, 0.25)


def test_every_study_has_a_table() -> None:
    assert all((results.HERE / study / "table.md").is_file() for study in results.studies())


@pytest.mark.parametrize("path", sorted(results.HERE.glob("study/*.yaml")), ids=lambda path: path.stem)
def test_every_kept_table_is_that_of_its_results(path: Path) -> None:
    table, rows = results.HERE / path.stem / "table.md", results.read(path.stem)
    if table.is_file():
        assert table.read_text() == results.tables(path.stem, rows) + "\n"
        assert (table.parent / "picture.png").is_file() == bool(rows)


def test_two_runs_are_compared_figure_by_figure() -> None:
    kept = {
        "commit": "0" * 40, "test/eer": 0.25, "test/far": None, "test/eer_balanced": 0.25,
        "test/eer_balanced_low": 0.2, "test/eer_balanced_high": 0.3, "val/eer": 1.0,
    }  # fmt: skip
    again = {**kept, "commit": "1" * 40, "test/eer": 0.5, "test/far": 0.5}
    lines, agree = results.compared(kept, again)
    assert lines == [
        "test/eer: 0.25 kept, 0.5 now",
        "test/eer_balanced: 0.25 kept, 0.25 now",
        "largest difference 0.25; test/eer_balanced lies within its bounds of [0.2000, 0.3000]; "
        "commits 0000000 and 1111111",
    ]
    assert agree
    assert not results.compared(kept, {**again, "test/eer_balanced": 0.31})[1]


def test_a_rerun_is_of_the_cheapest_budget_in_steps() -> None:
    rows = [
        {"choice": {"cell": f"loss/{cell}"}, "seconds": seconds, "test/eer_balanced": 0.1}
        for cell, seconds in (("given", 1), ("masked", 2))
    ]
    assert results.cheapest("loss", rows) is None  # budgets in minutes
    rows = [
        {**row, "choice": {"cell": f"leak/{cell}"}}
        for row, cell in zip(rows, ("apart", "view1"), strict=True)
    ]
    assert (
        results.cheapest("leak", [*rows, {**rows[0], "seconds": 0.5, "test/eer_balanced": None}]) is rows[0]
    )


@pytest.mark.slow
def test_a_rerun_repeats_a_run_to_the_digit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell of a study on the pictures of a small LFW."""
    root = write_lfw(tmp_path / "lfw")
    small = [
        f"data.root={root}", "trainer.steps=2", "data.batch_size=15", "model.arguments.width=0.1", "~logger",
        "~callbacks", "metrics.fars=[0.5]", "data.crop=null",
    ]  # fmt: skip
    command = [
        sys.executable, "-m", "facenet_lit.train", "--config-dir", str(results.HERE), "+study=stuck_at_margin",
        "+cell=stuck_at_margin/april_5", *small, "seed=3", f"hydra.run.dir={tmp_path}/sweep/0",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    [run] = results.runs_of(tmp_path / "sweep")
    assert run["choice"]["cell"] == "stuck_at_margin/april_5"
    monkeypatch.setattr(results, "read", lambda study: [run])
    lines, agree = results.rerun("stuck_at_margin", [f"data.root={root}", "~logger", "~callbacks"])
    assert lines[-1].startswith("largest difference 0; ")
    assert agree


def test_the_command_line(monkeypatch: pytest.MonkeyPatch, sweep: Path, tmp_path: Path, capsys) -> None:
    monkeypatch.setattr(results, "HERE", tmp_path / "experiments")
    with pytest.raises(SystemExit, match="no run of a budget in steps is kept"):
        results.main(["rerun", "lfw"])
    with pytest.raises(SystemExit, match="record NAME SWEEP"):
        results.main(["tables"])
    results.main(["record", "mine", str(sweep)])
    monkeypatch.setattr(results, "cheapest", lambda study, rows: None)
    monkeypatch.setattr(results, "cells_of", lambda study: [{"model": "resnext"}, {"model": "timm"}])
    results.main(["table", "mine"])
    assert (tmp_path / "experiments" / "mine" / "picture.png").is_file()
    written = (tmp_path / "experiments" / "mine" / "table.md").read_text()
    assert capsys.readouterr().out.endswith(written)
    monkeypatch.setattr(results, "studies", lambda: ["mine", "other"])
    results.main(["cost"])
    mine, other, together = capsys.readouterr().out.splitlines()
    assert mine.startswith("mine: 4 runs, 0.0 hours of training in all, on ")
    assert other == "other: not run"
    assert together.startswith("together: 4 runs, ")
