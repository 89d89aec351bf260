import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from entry_points import SETTINGS, Ended, call, refused
from omegaconf import OmegaConf

from facenet_lit import evaluate, train
from facenet_lit.errors import UserError

Entry = Callable[..., Ended]


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Entry:
    monkeypatch.chdir(tmp_path)
    return call


@pytest.fixture(scope="module")
def undecodable(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A source in which no picture decodes, so that whoever decodes one is found out."""
    root = tmp_path_factory.mktemp("faces")
    for person in range(30):
        (root / f"P{person}").mkdir()
        for number in range(3):
            (root / f"P{person}" / f"{number}.jpg").write_text("no picture")
    return ["data=folder", f"data.root={root}"]


def test_the_witness_of_decoding_works(entry: Entry, undecodable: list[str]) -> None:
    ended = entry(train.main, *undecodable, "hydra.run.dir=run")
    assert ended.code == 2
    assert "none of 90 pictures decodes" in ended.err


# Told before a job begins, and some of what a job tells.
REFUSED = [
    ("modle=resnext", "modle: no such setting, did you mean model?"),
    ("trainer.step=3", "trainer.step: no such setting, did you mean trainer.steps?"),
    ("scheduler=step scheduler.milestone=3", "scheduler.milestone: no such setting, did you mean"),
    ("study=typo", "study: no such setting"),
    ("+study=typo", "study=typo: no such setting; give --config-dir experiments"),
    ("+typo.name=3", "typo={'name': 3}: no such setting"),
    ("model=resnet", "model=resnet: did you mean model=resnext? expected one of inception, "),
    ("model=null", "error: model=null: expected an option of the group; --help"),
    ("trainer.steps=null logger=null", "error: logger=null: expected an option of the group, or ~logger"),
    ("--config-dir", "--config-dir/-cd: expected one argument"),
    ("a=b=c", "mismatched input"),
    ("--typo", "--typo: no such option"),
    ("--trainer.steps=3", "--trainer.steps=3: no such option"),
    ("--config-dir=missing", "--config-dir missing: no such folder"),
    ("--config-name=missing", "Cannot find primary config 'missing'"),
    ("data=missing", "data=missing: expected one of folder, lfw"),
    ("data=folder data.root=null", "data.root: not given"),
    ("data.batch_size=100", "data.batch_size=100: sampler=triplets expects a multiple of 3"),
    ("+loss.typo=1", "typo"),
    ("+callbacks.typo.points=1", "callbacks.typo: expected a Lightning callback"),
    ("monitor=${typo}", "typo"),
    ("optimizer.lr=abc", "optimizer.lr='abc': expected a number"),
    ("resume=yes", "resume=yes: expected one of auto"),
    ("+metrics.fars=[1e-4]", "val has 27 impostor pairs"),
    ("data=settings", "data=settings: expected one of folder, lfw"),
    ("+shared/data=data", "no such setting"),
    ("+data.typo=1", "data.typo: no such setting"),
    ("+data.batchsize=1", "data.batchsize: no such setting, did you mean data.batch_size?"),
    ("++trainer.typo=1", "trainer.typo: no such setting"),
    ("+metrics.typo=1", "metrics.typo: no such setting"),
    ("+checkpoint.typo=1", "checkpoint.typo: no such setting"),
    ("+model.typo=1", "model.typo: no such setting"),
    ("~trainer.devices", "trainer.devices: taken out, but needed; leave ~trainer.devices away"),
    ("~data.root", "data.root: taken out, but needed"),
    ("~seed", "seed: taken out, but needed"),
    ("~sampler", "sampler: taken out, but needed"),
]

# Told by the job.
BY_JOB = [
    ("data.root=missing", "data.root=missing: not found"),
    ("data.cache=3", "data.cache=3: expected a folder"),
    ("+sampler.typo=1", "sampler.typo: no such setting"),
    ("+data.source.typo=1", "typo"),
    ("+augmentation.typo=1", "typo"),
    ("+scheduler.typo=1", "typo"),
    ("sampler=pk miner=masked", "miner=masked: expected drawn triplets"),
    ("sampler=pk data.batch_size=100", "data.batch_size=100: sampler=pk expects"),
    ("optimizer.lr=-1", "optimizer.lr=-1: expected a number"),
    ("optimizer=sgd optimizer.momentum=0", "optimizer: Nesterov momentum requires a momentum"),
    ("+optimizer.typo=1", "optimizer"),
    ("model.arguments.depths=[0]", "model.arguments.depths[0]=0: expected an integer of 1 or more"),
    ("+model.arguments.typo=1", "model.arguments.typo: unknown for resnext"),
    ("model.arguments=3", "model.arguments=3: expected settings under it"),
    ("model.backbone=vgg", "model.backbone=vgg: expected one of resnext, inception"),
    ("model.embedding_size=0", "model.embedding_size=0: expected an integer"),
    ("model.head=x", "model.head=x: expected one of"),
    ("model.dropout=1", "model.dropout=1: expected a number of 0 or more, below 1"),
    ("model.weights=absent.pt", "model.weights=absent.pt: no such file"),
    ("model.freeze=3", "model.freeze=3: expected true or false"),
    ("optimizer.backbone_lr=-1", "optimizer.backbone_lr=-1: expected a number"),
    ("model.mirror=3", "model.mirror=3: expected true or false"),
    ("model.arguments.grid=0", "model.arguments.grid=0: expected an integer of 1 or more"),
    ("model.arguments.grid=5", "model.arguments.grid=5: the last maps of this network are 4x4"),
    ("data.normalize=x", "data.normalize=x: expected one of none, half, dataset, image"),
    ("trainer.devices=0", "trainer.devices=0: expected an integer of 1 or more"),
    ("trainer.devices=auto", "trainer.devices='auto': expected an integer of 1 or more"),
    ("trainer.minutes=0", "trainer.minutes=0: expected a number above 0"),
    ("trainer.precision=16", "trainer.precision=16: expected one of auto, 32, bf16, 64"),
    ("trainer.val_every_steps=0", "trainer.val_every_steps=0: expected an integer of 1 or more"),
    ("trainer.log_every_steps=abc", "trainer.log_every_steps='abc': expected an integer"),
    ("trainer.gradient_clip=0", "trainer.gradient_clip=0: expected a number above 0"),
    ("trainer.grow_from=20", "trainer.grow_from=20: expected an integer of 32 or more"),
    ("trainer.grow_from=80", "trainer.grow_from=80: expected at most data.size=64"),
    ("trainer.grow_until=2", "trainer.grow_until=2: expected a number of 0 or more and at most 1"),
    ("trainer.accumulate=0", "trainer.accumulate=0: expected an integer of 1 or more"),
    ("trainer.accumulate=5", "trainer.accumulate=5: expected at most the batches of an epoch, here 1"),
    ("trainer.chunk=1", "trainer.chunk=1: expected an integer of 2 or more"),
    ("trainer.compile=3", "trainer.compile=3: expected true or false"),
    ("trainer.accelerator=tpu", "trainer.accelerator=tpu: expected one of cpu, gpu"),
    ("metrics.threshold=abc", "metrics.threshold='abc': expected a number"),
    ("metrics.fars=3", "metrics.fars=3: expected a list of numbers"),
    ("metrics.fars=[2]", "metrics.fars=2: expected a number above 0 and at most 1"),
    ("monitor=val/typo", "monitor=val/typo: expected one of val/tar, "),
    ("checkpoint=3", "checkpoint=3: expected settings under it"),
    ("checkpoint.every_seconds=0", "checkpoint.every_seconds=0: expected a number above 0"),
    ("patience=0", "patience=0: expected an integer of 1 or more"),
    ("checkpoint.best_from=2", "checkpoint.best_from=2: expected a number of 0 or more and at most 1"),
    ("+logger.typo=1", "logger: got an unexpected keyword argument 'typo'"),
    ("optimizer.lr=null", "optimizer.lr=None: expected a number"),
    ("data.split=none", "data.split=none: nobody to train on"),
    ("scheduler=step scheduler.milestones=0.5", "scheduler.milestones=0.5: expected a list"),
    ("callbacks.curves=3", "callbacks.curves=3: expected settings under it"),
    ("callbacks.curves.points=2", "callbacks.curves.points=2: expected an integer of 3 or more"),
    ("test=3", "test=3: expected true or false"),
    ("seed=-1", "seed=-1: expected an integer from 0 to 4294967295"),
    ("seed=4294967296", "seed=4294967296: expected an integer from 0 to 4294967295"),
    ("metrics.fars=[1e-4]", "metrics.fars=[0.0001]: val has 27 impostor pairs, too few for tar_at_far_1e-4"),
    ("monitor=val/tar_at_far_1e-3", "monitor=val/tar_at_far_1e-3: val has 27 impostor pairs"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=[arguments for arguments, _ in REFUSED])
def test_bad_input_gets_one_line(entry: Entry, undecodable: list[str], arguments: str, message: str) -> None:
    ended = entry(train.main, "hydra.run.dir=run", *undecodable, *arguments.split())
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert message in ended.err
    assert "pictures decodes" not in ended.err
    assert "full_key" not in ended.err or "Error in call" in ended.err


@pytest.mark.parametrize(("arguments", "message"), BY_JOB, ids=[arguments for arguments, _ in BY_JOB])
def test_bad_input_of_a_job_is_told_before_a_picture_is_decoded(
    tmp_path: Path, undecodable: list[str], caplog: pytest.LogCaptureFixture, arguments: str, message: str
) -> None:
    with caplog.at_level(logging.INFO, "facenet_lit"):
        line = refused(tmp_path, *undecodable, *arguments.split())
    assert message in line
    assert "\n" not in line
    assert "pictures decodes" not in line
    assert "full_key" not in line or "Error in call" in line
    assert caplog.messages == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(entry: Entry, undecodable: list[str]) -> None:
    ended = entry(train.main, "hydra.run.dir=run", *undecodable, "trainer=gpu")
    assert ended.code == 2
    assert ended.err.startswith("error: trainer.accelerator=gpu: torch sees no CUDA device here")


def test_half_a_set_of_variables_of_several_processes(
    entry: Entry, undecodable: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    ended = entry(train.main, "hydra.run.dir=run", *undecodable)
    assert ended.code == 2
    assert ended.err.startswith("error: MASTER_ADDR: not set, though WORLD_SIZE")


def test_the_traceback_is_shown_where_it_is_asked_for(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(UserError, match="modle: no such setting") as caught:
        entry(train.main, "modle=resnext")
    assert caught.value.__cause__ is not None
    with pytest.raises(UserError, match="multiple of 3"):
        entry(train.main, "hydra.run.dir=run", "data.batch_size=100")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model=inception,resnet"], "did you mean model=resnext"),
        (["seed=0,1", "modle=resnext"], "modle: no such setting"),
        (["seed=0,1", "+study=typo"], "study=typo: no such setting"),
        (["seed=range(0,2)", "model=choice(resnext,resnet)"], "did you mean model=resnext"),
    ],
)
def test_one_bad_job_stops_a_sweep_before_its_first(
    entry: Entry, tmp_path: Path, arguments: list[str], message: str
) -> None:
    ended = entry(train.main, "--multirun", *SETTINGS, *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert ended.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


EVALUATION = [
    ([], "checkpoint is missing"),
    (["checkpoint=missing"], "checkpoint=missing: no such file"),
    (["chekpoint=x"], "chekpoint: no such setting"),
    (["checkpoint=missing", "part=train"], "part=train: expected one of val, test, all"),
    (["checkpoint=missing", "batch_size=0"], "batch_size=0: expected an integer"),
    (["checkpoint=missing", "accelerator=x"], "error: accelerator=x: expected one of cpu, gpu"),
    (["--typo"], "--typo: no such option"),
    (
        ["--multirun", "checkpoint=a,b"],
        "--multirun: evaluate does one job at a start; start it once for each",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), EVALUATION)
def test_bad_input_of_an_evaluation(entry: Entry, arguments: list[str], message: str) -> None:
    ended = entry(evaluate.main, "hydra.run.dir=run", *arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.count("\n") == 1
    assert message in ended.err


def test_a_text_in_the_place_of_a_checkpoint(entry: Entry, tmp_path: Path) -> None:
    (tmp_path / "text.ckpt").write_text("text")
    ended = entry(evaluate.main, "hydra.run.dir=run", "checkpoint=text.ckpt")
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "checkpoint=text.ckpt: can't be read" in ended.err


@pytest.mark.parametrize("name", ["train", "evaluate"])
def test_help_names_groups_and_settings(entry: Entry, name: str, tmp_path: Path) -> None:
    ended = entry({"train": train.main, "evaluate": evaluate.main}[name], "--help")
    assert ended.code == 0
    assert f"usage: python -m facenet_lit.{name}" in ended.out
    assert "data: folder, lfw, packed, synthetic" in ended.out
    assert {"train": "every_seconds: 60", "evaluate": "part: test"}[name] in ended.out
    assert list(tmp_path.iterdir()) == []


def test_help_into_a_pipe_that_is_closed(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    # As facenet_lit.train starts, without what it would train with.
    begin = "from facenet_lit.command_line import start; start('train', None)"
    command = [sys.executable, "-c", begin, "--help"]
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, cwd=tmp_path, check=False)
    os.close(writing)
    assert ended.stderr == b""
    assert ended.returncode == 141


def test_what_a_run_can_do_without_may_be_taken_out(entry: Entry, undecodable: list[str]) -> None:
    ended = entry(train.main, "hydra.run.dir=run", *undecodable, "~logger", "~callbacks")
    assert "none of 90 pictures decodes" in ended.err  # it gets that far


def test_the_config_of_a_job_is_shown(entry: Entry) -> None:
    ended = entry(train.main, "--cfg", "job", "model=inception")
    assert ended.code == 0
    shown = OmegaConf.create(ended.out)
    assert shown.model.backbone == "inception"
    assert shown.monitor == "val/eer_balanced"


def write_study(folder: Path, text: str) -> None:
    (folder / "study").mkdir(parents=True)
    (folder / "study" / "small.yaml").write_text(f"# @package _global_\n{text}")


def test_a_study_of_another_folder(entry: Entry, tmp_path: Path) -> None:
    write_study(tmp_path / "mine", "defaults:\n  - override /model: inception\nloss: {margin: 0.3}\n")
    ended = entry(train.main, "--config-dir", "mine", "+study=small", "--cfg", "job")
    assert OmegaConf.create(ended.out).model.backbone == "inception"
    assert OmegaConf.create(ended.out).loss.margin == 0.3
    ended = entry(train.main, "--config-dir", "mine", "+study=small", "data.batch_size=100")
    assert ended.code == 2  # it composes, and gets as far as the sampler
    assert "multiple of 3" in ended.err
    ended = entry(train.main, "--config-dir", "mine", "+study=smal")
    assert ended.code == 2
    assert "did you mean study=small" in ended.err


def test_the_sweep_that_a_study_defines_is_checked_too(entry: Entry, tmp_path: Path) -> None:
    write_study(tmp_path / "mine", "hydra: {sweeper: {params: {model: 'inception,resnet'}}}\n")
    ended = entry(train.main, "--config-dir", "mine", "+study=small", "--multirun")
    assert ended.code == 2
    assert "did you mean model=resnext" in ended.err


def test_a_picture_that_does_not_decode_is_named(entry: Entry, tmp_path: Path) -> None:
    for person in range(30):
        (tmp_path / "faces" / f"P{person}").mkdir(parents=True)
        for number in range(2):
            picture = np.full((70, 70, 3), 4 * person + number, np.uint8)
            cv2.imwrite(str(tmp_path / "faces" / f"P{person}" / f"{number}.png"), picture)
    (tmp_path / "faces" / "P3" / "1.png").write_text("no picture")
    ended = entry(train.main, "hydra.run.dir=run", "data=folder", "data.root=faces")
    assert ended.code == 2
    assert "P3/1.png" in ended.err
    assert "Traceback" not in ended.err


def test_overrides_may_stand_on_both_sides_of_an_option(entry: Entry, tmp_path: Path) -> None:
    write_study(tmp_path / "mine", "data: {batch_size: 100}\n")
    for arguments in (
        ("seed=1", "--config-dir", "mine", "+study=small", "test=false"),
        ("--config-dir", "mine", "+study=small", "--multirun", "seed=0,1"),
    ):
        ended = entry(train.main, "hydra.run.dir=run", "hydra.sweep.dir=sweep", *arguments)
        assert "multiple of 3" in ended.out + ended.err  # it gets as far as the sampler
        assert "usage" not in ended.err


def test_a_folder_that_cannot_be_written_in(entry: Entry, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for arguments in (["hydra.run.dir=file/run"], ["--multirun", "seed=0,1", "hydra.sweep.dir=file"]):
        ended = entry(train.main, *arguments)
        assert ended.code == 2
        assert ended.err.startswith("error: file/")
        assert "can't be written in" in ended.err
        assert ended.err.count("\n") == 1
