"""The notebooks: committed as they ran, on what the package offers; the slow test runs them."""

import ast
import importlib
import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == kind]


def test_there_are_three() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["01_triplets", "02_reading_tar_far", "03_loss_stuck"]


@each_notebook
def test_code_takes_only_what_the_package_offers(path: Path) -> None:
    sources = ["".join(cell["source"]) for cell in cells(path, "code")]
    tree = ast.parse("\n".join(sources))
    taken = [
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if node.module.startswith("facenet_lit")
    ]
    assert taken
    for module, name in taken:
        assert not any(part.startswith("_") for part in (*module.split("."), name))
        assert hasattr(importlib.import_module(module), name), f"{module} has no {name}"


@each_notebook
def test_it_is_committed_as_it_ran_from_top_to_bottom(path: Path) -> None:
    code = cells(path, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"stream", "display_data"}
    assert {output["name"] for output in outputs if output["output_type"] == "stream"} <= {"stdout"}
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 2
    assert path.stat().st_size < 800_000
    assert str(Path.home()) not in path.read_text("utf-8")


@each_notebook
@pytest.mark.slow
def test_it_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat", reason="the extra [notebooks]")
    nbclient = pytest.importorskip("nbclient", reason="the extra [notebooks]")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    printed = [
        "".join(output["text"])
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output["output_type"] == "stream" and output["name"] == "stdout"
    ]
    if path.stem == "03_loss_stuck":
        assert any(text.startswith("health: collapse at step ") for text in printed)
        assert printed[-1] == "nothing to tell\n"
