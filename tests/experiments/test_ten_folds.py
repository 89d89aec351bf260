import importlib.util
import json
import math
import statistics
from pathlib import Path

import pytest
import yaml
from entry_points import run_script
from hydra import compose, initialize_config_dir

from facenet_lit.composing import Composer
from facenet_lit.config_dir import config_dir
from facenet_lit.errors import UserError

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
ACCURACIES = {fold: 0.7 + 0.01 * (fold * 7 % 10) for fold in range(1, 11)}


spec = importlib.util.spec_from_file_location("ten_folds", EXPERIMENTS / "ten_folds.py")
assert spec is not None
ten_folds = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ten_folds)


def write_job(
    sweep: Path, job: int, fold: int, accuracy: float | None, split: str = "view2", seed: int = 0
) -> None:
    folder = sweep / str(job)
    folder.mkdir(exist_ok=True)
    config = {"data": {"split": split, "fold": fold}, "seed": seed, "resume": None if job else "auto"}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "metrics.json").write_text(json.dumps({"test/accuracy": accuracy, "test/eer": fold / 100}))


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    for fold, accuracy in ACCURACIES.items():
        write_job(tmp_path, fold - 1, fold, accuracy)
    return tmp_path


def test_mean_and_standard_error_of_ten(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ten_folds.main(sweep)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:10] == [f"fold {fold:2d}  {value:.4f}" for fold, value in ACCURACIES.items()]
    mean, error = statistics.mean(ACCURACIES.values()), statistics.stdev(ACCURACIES.values()) / math.sqrt(10)
    assert lines[10:] == [f"test/accuracy {mean:.4f} ± {error:.4f} (mean and standard error of 10 networks)"]
    ten_folds.main(sweep, "test/eer")
    assert capsys.readouterr().out.splitlines()[10].startswith("test/eer 0.0550 ± 0.0096 (")


def test_what_is_not_ten_networks_of_one_kind(sweep: Path) -> None:
    def refused(message: str) -> None:
        with pytest.raises(UserError, match=message):
            ten_folds.read_folds(sweep, "test/accuracy")

    (sweep / "3" / "metrics.json").unlink()
    (sweep / "8" / "metrics.json").unlink()
    refused("no finished run of fold 4, 9; run the sweep with resume=auto")
    write_job(sweep, 3, 5, 0.7)
    refused("fold 5 comes twice")
    write_job(sweep, 3, 4, None)
    refused(r"no test/accuracy in its metrics\.json")
    for other in ({"seed": 1}, {"split": "view1"}):
        write_job(sweep, 3, 4, 0.7, **other)
        refused("3: not of the same view 2 as the others")


def test_without_arguments_it_says_how_it_is_used() -> None:
    ended = run_script(EXPERIMENTS / "ten_folds.py")
    assert ended.code == 1
    assert "python experiments/ten_folds.py FOLDER [FIGURE]" in ended.err


def test_an_error_is_one_line() -> None:
    ended = run_script(EXPERIMENTS / "ten_folds.py", "nowhere")
    missing = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10; run the sweep with resume=auto"
    assert (ended.code, ended.err) == (2, f"error: nowhere: no finished run of fold {missing}\n")


def test_the_study_is_ten_folds_by_the_settings_of_the_study_lfw() -> None:
    extra = [f"hydra.searchpath=[file://{EXPERIMENTS}]"]
    jobs = Composer(config_dir(), "train", extra).jobs(["+study=lfw_view2"])
    assert len(jobs) == 10
    with initialize_config_dir(config_dir=str(config_dir()), version_base="1.3"):
        composed = [compose("train", overrides=[*extra, *job]) for job in jobs]
        view1 = compose("train", overrides=[*extra, "+study=lfw"])
    assert [job.data.fold for job in composed] == list(range(1, 11))
    for job in composed:
        assert job.data.split == "view2"
        job.data.split, job.data.fold = view1.data.split, view1.data.fold
        assert job == view1
