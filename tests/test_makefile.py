"""The Makefile's targets hand over what they are given, whatever it holds."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs make, with an environment that is there already and a python that prints its arguments."""
    python = folder / "python"
    python.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    python.chmod(0o755)
    installed = folder / "installed"
    installed.touch()
    command = ["make", "--silent", f"BIN={folder}", f"INSTALLED={installed}", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "path",
    ["lfw-deepfunneled.tgz", "my faces/lfw (1).tgz", "a=b,c/lfw.tgz", "it's/[lfw]{x}", '"/lfw', "a;b&c|d#e"],
)
def test_lfw_takes_any_path(tmp_path: Path, path: str) -> None:
    ended = make(tmp_path, "lfw", f"LFW={path}", "ARGS=seed=1 test=false")
    assert ended.returncode == 0, ended.stderr
    *_, root, seed, test = ended.stdout.splitlines()
    assert [seed, test] == ["seed=1", "test=false"]
    (override,) = OverridesParser.create().parse_overrides([root])
    assert override.key_or_group == "data.root"
    assert override.value() == path


def test_train_takes_more_settings(tmp_path: Path) -> None:
    ended = make(tmp_path, "train", "ARGS=model=inception seed=1")
    assert ended.returncode == 0, ended.stderr
    *_, study, model, seed = ended.stdout.splitlines()
    assert (study, model, seed) == ("+study=synthetic", "model=inception", "seed=1")


def test_lfw_without_a_path_says_how(tmp_path: Path) -> None:
    ended = make(tmp_path, "lfw", "LFW=")
    assert ended.returncode == 2
    assert "usage: make lfw LFW=archive-or-folder" in ended.stdout


def test_experiments_are_made_anew_or_one_is_repeated(tmp_path: Path) -> None:
    ended = make(tmp_path, "experiments")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["experiments/results.py", "table", "experiments/speed_to_rate.py"]
    ended = make(tmp_path, "experiments", "RERUN=loss", "LFW=a b.tgz", "ARGS=trainer.devices=1")
    assert ended.stdout.splitlines() == [
        "experiments/results.py", "rerun", "loss", "data.root='a b.tgz'", "trainer.devices=1",
    ]  # fmt: skip
    ended = make(tmp_path, "experiments", "RERUN=loss", "LFW=")
    assert ended.returncode == 2
    assert "usage: make experiments RERUN=NAME" in ended.stdout
