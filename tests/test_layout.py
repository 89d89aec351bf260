"""The structure that the code keeps: imports run one way, and every source file has its test."""

import ast
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "facenet_lit"
SOURCES = sorted(PACKAGE.rglob("*.py"))

# A file imports from lower levels or from its own folder only; what is not named is ground.
ENTRY, MODULE, DATA, PARTS, NETWORKS, GROUND = range(6)
LEVELS = {
    "train": ENTRY,
    "evaluate": ENTRY,
    "prepare": ENTRY,
    "doctor": ENTRY,
    "trial": ENTRY,
    "compare": ENTRY,
    "comparison": ENTRY,
    "evaluation": ENTRY,
    "building": ENTRY,
    "recipe": ENTRY,
    "own_callbacks": ENTRY,
    "compilation": ENTRY,
    "job": ENTRY,
    "prepared_data": ENTRY,
    "lightning_trainer": ENTRY,
    "start_checks": ENTRY,
    "resolution_checks": ENTRY,
    "command_line": ENTRY,
    "composing": ENTRY,
    "config_values": ENTRY,
    "arguments": ENTRY,
    "job_folders": ENTRY,
    "help_text": ENTRY,
    "config_map": ENTRY,
    "scoring": ENTRY,
    "fine_tuning": ENTRY,
    "chosen_images": ENTRY,
    "sweep": ENTRY,
    "report": ENTRY,
    "run_settings": ENTRY,
    "run_facts": ENTRY,
    "verification_module": MODULE,
    "loggers": MODULE,
    "plots": MODULE,
    "callbacks": MODULE,
    "checks": MODULE,
    "checkpoint": MODULE,
    "weights": MODULE,
    "data": DATA,
    "sources": PARTS,
    "metrics": PARTS,
    "mining": PARTS,
    "losses": PARTS,
    "health": PARTS,
    "backbones": NETWORKS,
}
HYDRA_ALLOWED = {
    "train", "evaluate", "evaluation", "compare", "prepare", "doctor", "trial", "building", "recipe",
    "lightning_trainer", "start_checks",
    "command_line", "composing", "config_values", "job", "job_folders", "own_callbacks", "prepared_data", "sweep",
}  # fmt: skip
BANNED_NAMES = {"utils", "common", "helpers", "base", "misc"}


def place_of(path: Path) -> str:
    """The file or folder directly under the package that a source file belongs to."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Full names of the modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module)
            if node.module == "facenet_lit":
                names |= {f"facenet_lit.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    own = place_of(path)
    level = LEVELS.get(own, GROUND)
    for name in imported(path):
        if not name.startswith("facenet_lit.") or (path.parent == PACKAGE and path.name == "__init__.py"):
            continue
        other = name.split(".")[1]
        other_level = LEVELS.get(other, GROUND)
        # Files that lie directly under the package are one folder: entry points may use one another, and
        # so may the module and its callbacks, and the ground.
        neighbours = level == other_level and level in (ENTRY, MODULE, GROUND)
        assert other == own or other_level > level or neighbours, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_hydra_stays_at_the_entry_points(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported(path)}
    assert place_of(path) in HYDRA_ALLOWED or not roots & {"hydra", "omegaconf"}


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p.name != "__init__.py"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_source_file_has_its_test(path: Path) -> None:
    folder = ROOT / "tests" / path.parent.relative_to(PACKAGE)
    assert (folder / f"test_{path.name}").is_file()


def test_no_drawers() -> None:
    names = {part.removesuffix(".py") for path in SOURCES for part in path.relative_to(PACKAGE).parts}
    assert not names & BANNED_NAMES


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 250
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno < 50, f"{path.name}: {node.name}"


def test_most_are_smaller_still() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SOURCES]
    modules = [len(text.splitlines()) for text in texts]
    functions = [
        node.end_lineno - node.lineno + 1
        for text in texts
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    # An __init__ of one line says nothing of how large modules are.
    assert statistics.median(lines for lines in modules if lines > 1) < 100
    assert statistics.median(functions) <= 8
