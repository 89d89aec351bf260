"""Runs of several processes, started in each of the ways there are, against the run of one."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from entry_points import NETWORK, SETTINGS, call
from gloo_processes import Processes
from many_processes import relative_differences
from test_places import SLURM, TORCHRUN

from facenet_lit import gathering
from facenet_lit.errors import UserError
from facenet_lit.places import Place, place_of
from facenet_lit.processes import crew, dismiss, follow, lead
from facenet_lit.train import main

RUN = [
    *(setting for setting in SETTINGS if "precision" not in setting),
    *NETWORK,
    "trainer.precision=64",
    "trainer.steps=6",
    "model.dropout=0.3",
    "data.cache=cache",
]


def test_one_process_is_no_crew() -> None:
    with crew(1, None) as place:
        assert place is None
        with lead({"nobody": "listens"}):
            pass


def test_as_many_as_were_started() -> None:
    told = r"^trainer\.devices=8: 2 processes .* say trainer\.devices=2"
    with pytest.raises(UserError, match=told), crew(8, place_of(TORCHRUN)):
        pass


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", **more}


def start(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """A run of :data:`RUN`, what else is said behind it."""
    said = arguments.index("facenet_lit.train") + 1
    return subprocess.Popen(
        [sys.executable, *arguments[:said], *RUN, *arguments[said:]], cwd=folder, env=environment(**variables),
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def ended(process: subprocess.Popen[str], code: int = 0) -> str:
    out, _ = process.communicate(timeout=300)
    assert process.returncode == code, out
    return out


def same_result(one: Path, other: Path) -> None:
    """Weights to 1e-10, and the figures equal."""
    weights = [
        torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"] for run in (one, other)
    ]
    assert all(off <= 1e-10 for off in relative_differences(*weights).values())
    figures = [json.loads((run / "metrics.json").read_text()) for run in (one, other)]
    assert figures[0] == pytest.approx(figures[1], abs=1e-9)


def files(folder: Path) -> list[str]:
    """What lies there, by its name without numbers of processes and times."""
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    return sorted(name.split("tfevents")[0] for name in names)


TRAIN = ("-m", "facenet_lit.train")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process: of this one, on one thread as those that are started."""
    folder, threads = tmp_path_factory.mktemp("alone"), torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        told = call(main, *RUN, "hydra.run.dir=run")
    torch.set_num_threads(threads)
    assert told.code == 0, told.err
    return folder


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The run of two processes, and what it printed."""
    folder = tmp_path_factory.mktemp("pair")
    return folder, ended(start(folder, *TRAIN, "trainer=ddp", "hydra.run.dir=run"))


def test_two_processes_leave_what_one_leaves(alone: Path, pair: tuple[Path, str]) -> None:
    folder, out = pair
    same_result(alone / "run", folder / "run")
    assert files(folder) == files(alone)  # one folder, one of each file, nothing beside it
    assert out.count("budget: 6 steps") == out.count("best checkpoint") == 1
    assert "Warning" not in out
    assert ".py:" not in out


@pytest.mark.slow
def test_augmentation_where_the_network_is(tmp_path: Path) -> None:
    settings = ("augmentation=strong", "augmentation.where=device")
    for name, more in (("one", ()), ("two", ("trainer=ddp",))):
        ended(start(tmp_path, *TRAIN, *settings, *more, f"hydra.run.dir={name}"))
    same_result(tmp_path / "one", tmp_path / "two")


@pytest.mark.slow
def test_torchrun(alone: Path, tmp_path: Path) -> None:
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node=2", *TRAIN)
    ended(start(tmp_path, *launcher, "trainer=ddp", "hydra.run.dir=run"))
    same_result(alone / "run", tmp_path / "run")
    assert files(tmp_path) == files(alone)


@pytest.mark.slow
def test_a_step_of_slurm(alone: Path, tmp_path: Path) -> None:
    job = {**SLURM, "SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NUM_NODES": "1", "SLURM_NODEID": "0"}
    job |= {"SLURM_STEP_NODELIST": "localhost", "SLURM_JOB_ID": str(os.getpid())}
    tasks = [
        start(
            tmp_path, *TRAIN, "trainer=ddp", "hydra.run.dir=run",
            **{**job, "SLURM_PROCID": str(task), "SLURM_LOCALID": str(task)},
        )
        for task in range(2)
    ]  # fmt: skip
    assert "best checkpoint" in ended(tasks[0])
    assert ended(tasks[1]) == ""
    same_result(alone / "run", tmp_path / "run")
    assert files(tmp_path) == files(alone)


@pytest.mark.slow
def test_a_sweep_of_two_processes_a_job(alone: Path, tmp_path: Path) -> None:
    settings = ("trainer=ddp", "seed=0,1", "hydra.sweep.dir=sweep", "--multirun")
    ended(start(tmp_path, *TRAIN, *settings))
    same_result(alone / "run", tmp_path / "sweep" / "0")
    run = files(alone / "run")
    for job in ("0", "1"):
        assert files(tmp_path / "sweep" / job) == run
    assert {path.name for path in (tmp_path / "sweep").iterdir()} == {"0", "1", "sweep.csv", "multirun.yaml"}
    assert {path.name for path in tmp_path.iterdir()} == {"cache", "sweep"}
    rows = list(csv.DictReader((tmp_path / "sweep" / "sweep.csv").open()))
    assert [row["seed"] for row in rows] == ["0", "1"]
    assert all(float(row["test/eer_balanced"]) >= 0 for row in rows)


def others_of(process: subprocess.Popen[str]) -> list[int]:
    """The processes that one has started."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(number) for number in children.read_text().split()]


def alive(number: int) -> bool:
    state = Path(f"/proc/{number}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until(condition: object, process: subprocess.Popen[str], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


HAS_PROC = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found in /proc")


def killed_or_stopped(folder: Path, signum: int, *settings: str) -> None:
    """A run of two processes that gets a signal once it has a checkpoint; neither of them is left."""
    process = start(folder, *TRAIN, "trainer=ddp", *settings)
    wait_until((folder / "run" / "checkpoints" / "last.ckpt").exists, process)
    others = others_of(process)
    assert len(others) == 1
    process.send_signal(signum)
    process.communicate(timeout=120)
    assert process.returncode == (143 if signum == signal.SIGTERM else -9)
    wait_until(lambda: not any(map(alive, others)), process, 30)
    assert not (folder / "run" / "metrics.json").exists()


RESUMED = ("hydra.run.dir=run", "resume=auto", "checkpoint.every_seconds=0.001")


@pytest.mark.slow
@HAS_PROC
def test_a_stopped_run_goes_on_with_another_number_of_processes(alone: Path, tmp_path: Path) -> None:
    killed_or_stopped(tmp_path, signal.SIGTERM, *RESUMED)
    out = ended(start(tmp_path, *TRAIN, *RESUMED))
    assert "resume=auto: going on from step" in out
    same_result(alone / "run", tmp_path / "run")


@pytest.mark.slow
@HAS_PROC
def test_a_killed_run_of_two_goes_on_to_the_bit(pair: tuple[Path, str], tmp_path: Path) -> None:
    killed_or_stopped(tmp_path, signal.SIGKILL, *RESUMED)
    out = ended(start(tmp_path, *TRAIN, "trainer=ddp", *RESUMED))
    assert "resume=auto: going on from step" in out
    unbroken, resumed = (
        torch.load(folder / "run" / "checkpoints" / "last.ckpt", weights_only=True)
        for folder in (pair[0], tmp_path)
    )
    assert unbroken["global_step"] == resumed["global_step"] == 6
    for name, value in unbroken["state_dict"].items():
        assert torch.equal(value, resumed["state_dict"][name]), name
    assert (pair[0] / "run" / "metrics.json").read_text() == (tmp_path / "run" / "metrics.json").read_text()


@pytest.mark.slow
@HAS_PROC
def test_a_run_ends_with_the_process_that_is_lost(tmp_path: Path) -> None:
    process = start(tmp_path, *TRAIN, "trainer=ddp", "trainer.steps=100000", "hydra.run.dir=run")
    wait_until((tmp_path / "run" / "checkpoints" / "last.ckpt").exists, process)
    (other,) = others_of(process)
    os.kill(other, signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    assert process.returncode in (1, 2)  # found out by a lost connection, or by looking
    assert "error: process 1 of this run has ended, with code -9" in out
    assert "Traceback" not in out


def test_what_the_first_refuses_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    pictures = [setting for setting in RUN if not setting.startswith(("data.identities", "data.images"))]
    for command, message in (
        ([*RUN, "trainer.devices=0"], "error: trainer.devices=0: expected"),
        ([*pictures, "data=folder", "data.root=nowhere", "hydra.run.dir=run"], "error: data.root=nowhere"),
    ):
        told = call(main, *command, "trainer=ddp")
        assert told.code == 2
        assert told.err.startswith(message)
        assert told.err.count("\n") == 1
    assert capfd.readouterr() == ("", "")  # nor did the other process say anything


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["patience=0", "metrics.fars=[1e-7]"])
def test_an_error_that_all_processes_have_is_told_once(tmp_path: Path, setting: str) -> None:
    """One that is found within the job, after the others have begun it."""
    out = ended(start(tmp_path, *TRAIN, "trainer=ddp", setting, "hydra.run.dir=run"), 2)
    assert out.count("error: ") == 1
    assert "Traceback" not in out


STOPPER = """
import os, signal
import lightning as L

class Stopper(L.Callback):
    def __init__(self, signum, hook, stage):
        def stop(trainer, *_):
            if trainer.state.fn == stage and trainer.global_rank == 0:
                os.kill(os.getpid(), signum)
        setattr(self, hook, stop)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signum", "hook", "stage", "codes"),
    [
        (signal.SIGTERM, "on_validation_batch_start", "validate", (143,)),
        (signal.SIGINT, "on_validation_batch_start", "validate", (130,)),
        (signal.SIGTERM, "on_test_batch_start", "test", (143,)),
        (signal.SIGINT, "on_train_start", "fit", (1, 130)),  # before ours: Lightning's own answer
    ],
)
def test_a_signal_at_an_odd_time_ends_both(
    tmp_path: Path, signum: int, hook: str, stage: str, codes: tuple[int, ...]
) -> None:
    (tmp_path / "stopper.py").write_text(STOPPER)
    settings = [f"+callbacks.stop.{name}={value}" for name, value in (
        ("_target_", "stopper.Stopper"), ("signum", int(signum)), ("hook", hook), ("stage", stage),
    )]  # fmt: skip
    process = start(tmp_path, *TRAIN, "trainer=ddp", *settings, "hydra.run.dir=run", PYTHONPATH=str(tmp_path))
    out, _ = process.communicate(timeout=120)
    assert process.returncode in codes, out


@pytest.mark.slow
def test_torchrun_with_another_number_is_told_once(tmp_path: Path) -> None:
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node=2", *TRAIN)
    process = start(tmp_path, *launcher, "hydra.run.dir=run")
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 1  # torchrun's own
    assert out.count("error: trainer.devices=1: 2 processes were started on this machine") == 1


def obey_and_report(folder: str) -> list[str]:
    """The first process leads two jobs, the others follow; each says what it was told."""
    done: list[str] = []
    if gathering.rank() == gathering.FIRST:
        for job in ("one", "two"):
            with lead({"name": job}):
                pass
        dismiss()
        return ["leads"]
    with pytest.raises(SystemExit) as end:
        follow(Place(1, 2, 1, 2, 0, ""), lambda job, place: done.append(job["name"]))
    assert end.value.code == 0
    return done


def test_the_others_do_what_the_first_says(together: Processes, tmp_path: Path) -> None:
    assert together(2, obey_and_report, str(tmp_path)) == [["leads"], ["one", "two"]]
