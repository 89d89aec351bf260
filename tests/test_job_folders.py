import re
from pathlib import Path

import pytest
from omegaconf import DictConfig

from facenet_lit.composing import Composer
from facenet_lit.config_dir import config_dir
from facenet_lit.errors import UserError
from facenet_lit.job_folders import check_job_folder, job_folder, refuse_nameless_sweep, resuming
from facenet_lit.run_folder import LAST, METRICS


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def composed(*overrides: str) -> DictConfig:
    return Composer(config_dir(), "train").compose(overrides)


def test_the_folder_of_a_run_has_its_options_and_the_time_to_the_microsecond() -> None:
    pattern = r"runs/synthetic-inception/\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d-\d{6}"
    folders = [str(job_folder(composed("model=inception"))) for _ in range(2)]
    assert all(re.fullmatch(pattern, folder) for folder in folders)
    assert folders[0] != folders[1]


def test_the_folder_of_a_job_has_its_number_or_its_overrides() -> None:
    assert re.fullmatch(r"runs/sweeps/[\d_-]+-\d{6}/3", str(job_folder(composed(), 3)))
    named = ("hydra.sweep.dir=s", "hydra.sweep.subdir=${hydra:job.override_dirname}", "seed=4")
    assert job_folder(composed(*named), 0) == Path("s/seed=4")


def test_a_folder_is_refused_before_anything_is_written() -> None:
    check_job_folder(composed("hydra.run.dir=run"))
    assert list(Path().iterdir()) == []
    Path("sweep/1").mkdir(parents=True)
    Path("sweep/1", METRICS).write_text("{}")
    check_job_folder(composed("hydra.sweep.dir=sweep"), 0)
    with pytest.raises(UserError, match="sweep/1: holds a finished run"):
        check_job_folder(composed("hydra.sweep.dir=sweep"), 1)
    with pytest.raises(UserError, match="can't be written in"):
        check_job_folder(composed("hydra.run.dir=sweep/1/metrics.json"))


def test_a_sweep_that_could_not_be_found_again() -> None:
    with pytest.raises(UserError, match="the sweep's folder has the time in its name"):
        refuse_nameless_sweep(composed("resume=auto"))
    refuse_nameless_sweep(composed("resume=auto", "hydra.sweep.dir=mine"))
    refuse_nameless_sweep(composed())


def test_only_an_unfinished_run_of_this_config_is_gone_on_with() -> None:
    Path("run", LAST).parent.mkdir(parents=True)
    Path("run", LAST).touch()
    config = composed("hydra.run.dir=run", "resume=auto")
    assert resuming(config) == []  # no config lies there
