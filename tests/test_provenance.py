import subprocess
from pathlib import Path

import pytest
import torch

from facenet_lit.provenance import _processor, commit, config_hash, machine, origin_of


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    ended = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True
    )
    return ended.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a.yaml").write_text("a: 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_the_commit_is_git_s(checkout: Path) -> None:
    assert commit(checkout) == git(checkout, "rev-parse", "HEAD")
    (checkout / "runs").mkdir()
    (checkout / "runs" / "x").touch()  # decides nothing
    assert commit(checkout) == git(checkout, "rev-parse", "HEAD")


@pytest.mark.parametrize("change", ["conf/a.yaml", "conf/new.yaml", "pyproject.toml"])
def test_changes_are_told(checkout: Path, change: str) -> None:
    (checkout / change).write_text("a: 2\n")
    assert commit(checkout) == git(checkout, "rev-parse", "HEAD") + "+changes"


def test_an_installed_package_inside_another_repository_has_none(checkout: Path) -> None:
    assert commit(checkout / "conf") is None


def test_no_commit_yet(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert commit(tmp_path) is None


def test_a_config_s_hash_is_of_what_the_run_is() -> None:
    plain = {"seed": 0, "optimizer": {"lr": 1e-3, "b": 1}}
    assert config_hash(plain) == config_hash(
        {"optimizer": {"b": 1, "lr": 0.001}, "resume": "auto", "seed": 0}
    )
    assert config_hash(plain) != config_hash({**plain, "seed": 1})
    assert len(config_hash(plain)) == 16


def test_a_machine_is_told_in_plain_values(tmp_path: Path) -> None:
    told = machine()
    assert told["torch"] == torch.__version__
    assert told["threads"] == torch.get_num_threads()
    info = tmp_path / "cpuinfo"
    info.write_text("processor : 0\nmodel name\t: Some CPU @ 2 GHz\nmodel name : other\n")
    assert _processor(info) == "Some CPU @ 2 GHz"
    assert _processor(tmp_path / "absent")


def test_an_origin_has_the_seed() -> None:
    origin = origin_of({"seed": 3, "hydra": {}})
    assert origin["seed"] == 3
    assert origin["config"] == config_hash({"seed": 3})
