"""A study's results are what its runs' files say, and its table their medians."""

import json
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


def test_a_table_has_medians_and_their_spread(sweep: Path) -> None:
    lines = results.table(results.runs_of(sweep)).splitlines()
    assert lines[0].split(" | ")[-3:] == ["EER", "accuracy", "TAR at 1e-2 |"]
    assert len(lines) == 2 + 2 * 4  # two choices, of each val and test, over pairs and balanced
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert len({len(row) for row in cells}) == 1
    [row] = [row for row in cells if row[0] == "model=resnext" and row[6:8] == ["test", "over pairs"]]
    assert row[1:6] == ["3", "11 (10 to 12)", "3", "90", ""]
    assert row[8:] == ["0.2000 (0.1000 to 0.3000)", "", "0.7500"]
    [row] = [row for row in cells if row[0] == "model=inception" and row[6:8] == ["test", "balanced"]]
    assert row[1] == "1"
    assert row[8] == "0.2000"


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
    assert labels(results.read("mine", place)) == {"model=resnext": "4", "model=inception": "1"}


def labels(rows: Sequence[results.Row]) -> dict[str, str]:
    """Seeds by choice, as the table tells them."""
    lines = [line.split("|")[1:3] for line in results.table(rows).splitlines()[2:]]
    return {choice.strip(): seeds.strip() for choice, seeds in lines}


def test_jobs_recorded_alone_are_told_apart(tmp_path: Path) -> None:
    place = tmp_path / "experiments"
    for number, margin in enumerate(["0.1", "0.2"]):
        for seed in (0, 1):
            alone = tmp_path / f"alone{number}{seed}"
            finish(alone, 0, "resnext", seed, 0.5, f"{margin}{seed}", more=[f"loss.margin={margin}"])
            results.record("mine", alone, place)
    assert labels(results.read("mine", place)) == {"loss.margin=0.1": "2", "loss.margin=0.2": "2"}


def test_rows_of_no_choice_have_a_line_of_their_own(sweep: Path) -> None:
    rows = results.runs_of(sweep)[:3]
    assert labels(rows) == {"": "3"}
    assert labels([*rows, {**rows[0], "choice": {}}]) == {"model=resnext": "3", "": "1"}


@pytest.mark.parametrize(
    "path", sorted(results.HERE.glob("*/results.jsonl")), ids=lambda path: path.parent.name
)
def test_the_table_of_every_study_can_be_made(path: Path) -> None:
    rows = results.read(path.parent.name)
    assert sum(map(int, labels(rows).values())) == len(rows)


def test_the_command_line(monkeypatch: pytest.MonkeyPatch, sweep: Path, tmp_path: Path, capsys) -> None:
    monkeypatch.setattr(results, "HERE", tmp_path / "experiments")
    with pytest.raises(SystemExit, match="no results yet"):
        results.main(["table", "mine"])
    with pytest.raises(SystemExit, match="record NAME SWEEP"):
        results.main(["tables"])
    results.main(["record", "mine", str(sweep)])
    results.main(["table", "mine"])
    written = (tmp_path / "experiments" / "mine" / "table.md").read_text()
    assert capsys.readouterr().out.endswith(written)
