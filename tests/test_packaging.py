"""What is built and handed out: the wheel and the sdist, and the package as the wheel holds it."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of this checkout, and the wheel that was built from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    # Without isolation nothing is fetched: hatchling is one of the test tools.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


def test_lightning_is_new_enough_for_what_is_called(wheel: zipfile.ZipFile) -> None:
    (about,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    lines = wheel.read(about).decode().splitlines()
    (needed,) = (line for line in lines if line.startswith("Requires-Dist: lightning"))
    specifier = Requirement(needed.removeprefix("Requires-Dist: ")).specifier
    assert not specifier.contains("2.5.9")  # its fit, validate and test know no weights_only
    assert specifier.contains("2.6.0")


def test_wheel_holds_every_source_and_config_file(wheel: zipfile.ZipFile) -> None:
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "facenet_lit").rglob("*.py")}
    configs = {f"facenet_lit/{path.relative_to(ROOT)}" for path in (ROOT / "conf").rglob("*.yaml")}
    assert {"facenet_lit/conf/train.yaml", "facenet_lit/conf/data/lfw.yaml"} <= configs
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == {*sources, *configs, "facenet_lit/py.typed"}


def test_wheel_names_the_entry_points(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    lines = wheel.read(name).decode().splitlines()
    assert "facenet-train = facenet_lit.train:main" in lines
    assert "facenet-evaluate = facenet_lit.evaluate:main" in lines
    assert "facenet-compare = facenet_lit.compare:main" in lines
    assert "facenet-prepare = facenet_lit.prepare:main" in lines
    assert "facenet-doctor = facenet_lit.doctor:main" in lines


def test_sdist_holds_what_a_checkout_is_worked_on_with(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    wanted = {"Makefile", "CONTRIBUTING.md", ".pre-commit-config.yaml", "LICENSE", "pyproject.toml"}
    assert wanted | {"conf/train.yaml", "tests/conftest.py", "experiments/study/lfw.yaml"} <= names
    assert not [name for name in names if name.startswith(("runs/", "dist/", ".venv/"))]


@pytest.mark.parametrize("entry", ["train", "evaluate"])
def test_package_from_the_wheel_finds_its_config(wheel: zipfile.ZipFile, tmp_path: Path, entry: str) -> None:
    installed, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    wheel.extractall(installed)
    elsewhere.mkdir()

    def python(*arguments: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, *arguments]
        ended = subprocess.run(
            command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    found = python("-c", "from facenet_lit.config_dir import config_dir; print(config_dir())")
    assert found.strip() == str(installed / "facenet_lit" / "conf")
    told = python("-m", f"facenet_lit.{entry}", "--cfg", "job")
    assert "fars:" in told
    assert ("monitor: val/eer_balanced" in told) == (entry == "train")
    assert list(elsewhere.iterdir()) == []
