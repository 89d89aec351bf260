import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from facenet_lit.errors import UserError
from facenet_lit.run_folder import (
    CONFIG,
    LAST,
    LOCK,
    METRICS,
    FolderInUse,
    checkpoint_to_resume,
    ended_by,
    find_resumable,
    is_finished,
    is_locked,
    is_over,
    is_resumable,
    locked,
    read_metrics,
    write_atomically,
    write_facts,
    write_metrics,
)

CONFIGURED = {"seed": 0, "optimizer": {"lr": 1e-4}, "resume": None}

HOLD = """
import sys, time
from pathlib import Path
from facenet_lit.run_folder import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""

HOLD_WITH_A_WORKER = """
import os, sys, time
from pathlib import Path
from facenet_lit.run_folder import locked
with locked(Path(sys.argv[1])):
    worker = os.fork()
    if not worker:
        os.close(sys.stdout.fileno())
    else:
        print(worker, flush=True)
    time.sleep(60)
"""


def unfinished(folder: Path, config: dict = CONFIGURED) -> Path:
    (folder / LAST).parent.mkdir(parents=True)
    (folder / LAST).touch()
    (folder / CONFIG).write_text(yaml.safe_dump(config))
    return folder


def test_a_lock_excludes_and_is_given_back(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert is_locked(tmp_path)
        with pytest.raises(FolderInUse, match="another process"), locked(tmp_path):
            pass
    assert not is_locked(tmp_path)


def test_looking_for_a_lock_makes_and_takes_none(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "absent")
    assert not is_locked(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / LOCK).touch()
    with open(tmp_path / LOCK) as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # another that looks
        assert not is_locked(tmp_path)


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert is_locked(tmp_path)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not is_locked(tmp_path)


def test_a_worker_that_outlives_its_process_holds_no_lock(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_WITH_A_WORKER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        worker = int(process.stdout.readline())
        try:
            assert is_locked(tmp_path)  # the worker let go of it for itself only
            process.kill()
            process.wait()
            os.kill(worker, 0)  # it is alive
            assert not is_locked(tmp_path)
        finally:
            os.kill(worker, signal.SIGKILL)


def test_files_appear_whole(tmp_path: Path) -> None:
    write_metrics(tmp_path, {"val/eer": 0.5, "val/tar_at_far_1e-3": None})
    assert json.loads((tmp_path / METRICS).read_text()) == {"val/eer": 0.5, "val/tar_at_far_1e-3": None}
    assert read_metrics(tmp_path) == {"val/eer": 0.5, "val/tar_at_far_1e-3": None}
    write_atomically(tmp_path / METRICS, "{}")
    assert read_metrics(tmp_path) == {}
    assert [path.name for path in tmp_path.iterdir()] == [METRICS]


def test_an_unfinished_run_has_no_figures(tmp_path: Path) -> None:
    assert read_metrics(tmp_path) == {}


def test_the_newest_unlocked_unfinished_run_of_this_config_is_found(tmp_path: Path) -> None:
    runs = {name: unfinished(tmp_path / name) for name in ("old", "new", "held", "done")}
    other = unfinished(tmp_path / "other", {**CONFIGURED, "seed": 1})
    (tmp_path / "empty").mkdir()
    (runs["done"] / METRICS).write_text("{}")
    now = time.time()
    for age, name in enumerate(("held", "done", "new", "old")):
        os.utime(runs[name] / LAST, (now - age, now - age))
    folders = [*runs.values(), other, tmp_path / "empty", tmp_path / "absent"]
    with locked(runs["held"]):
        assert find_resumable(folders, {**CONFIGURED, "resume": "auto"}) == runs["new"]
    assert find_resumable(folders, {**CONFIGURED, "seed": 2}) is None
    assert find_resumable([], CONFIGURED) is None


def test_a_run_needs_a_config_to_be_gone_on_with(tmp_path: Path) -> None:
    folder = unfinished(tmp_path / "run")
    assert is_resumable(folder, CONFIGURED)
    (folder / CONFIG).write_text("{")
    assert not is_resumable(folder, CONFIGURED)
    (folder / CONFIG).unlink()
    assert not is_resumable(folder, CONFIGURED)


def test_a_folder_without_a_run_is_free(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text("{}")  # of a run that was killed before its first checkpoint
    for resume in (False, True):
        assert checkpoint_to_resume(tmp_path, CONFIGURED, resume) is None
    assert not is_finished(tmp_path)


def test_a_folder_of_this_run_is_gone_on_with_where_that_is_said(tmp_path: Path) -> None:
    folder = unfinished(tmp_path / "run")
    assert checkpoint_to_resume(folder, CONFIGURED, True) == folder / LAST
    with pytest.raises(
        UserError, match=r"an unfinished run of this config \(resume=auto goes on with it\); name"
    ):
        checkpoint_to_resume(folder, CONFIGURED, False)
    (folder / METRICS).write_text("{}")
    assert is_finished(folder)
    assert checkpoint_to_resume(folder, CONFIGURED, True) is None
    with pytest.raises(
        UserError, match=r"a finished run of this config \(resume=auto skips it\); name another"
    ):
        checkpoint_to_resume(folder, CONFIGURED, False)


def test_a_run_that_was_ended_with_nothing_to_score_is_over(tmp_path: Path) -> None:
    folder = unfinished(tmp_path / "run")
    write_facts(folder, {"ended_by": None, "best_step": 3})  # killed before it was scored
    assert (ended_by(folder), is_over(folder), is_resumable(folder, CONFIGURED)) == (None, False, True)
    write_facts(folder, {"ended_by": "nan", "best_step": 3})
    assert (ended_by(folder), is_over(folder), is_resumable(folder, CONFIGURED)) == ("nan", False, True)
    write_facts(folder, {"ended_by": "nan", "best_step": None})
    assert (is_over(folder), is_finished(folder), is_resumable(folder, CONFIGURED)) == (True, False, False)
    assert find_resumable([folder], CONFIGURED) is None
    assert checkpoint_to_resume(folder, CONFIGURED, True) is None
    with pytest.raises(UserError, match=r"holds an ended run of this config \(resume=auto skips it\)"):
        checkpoint_to_resume(folder, CONFIGURED, False)
    with pytest.raises(UserError, match="holds an ended run of another config; name another folder"):
        checkpoint_to_resume(folder, {"seed": 5}, True)


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_of_another_run_is_refused(tmp_path: Path, resume: bool) -> None:
    folder = unfinished(tmp_path / "run", {**CONFIGURED, "seed": 1})
    with pytest.raises(UserError, match=r"holds an unfinished run.*; name another folder, or delete it"):
        checkpoint_to_resume(folder, CONFIGURED, resume)
    (folder / METRICS).write_text("{}")
    with pytest.raises(UserError, match=r"holds a finished run.*; name another folder, or delete it"):
        checkpoint_to_resume(folder, CONFIGURED, resume)
    assert (folder / LAST).exists()
    assert (folder / METRICS).exists()
