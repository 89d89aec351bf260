"""The cells of a study: what its config says is to be run, and which of its results are whose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facenet_lit.composing import Composer
from facenet_lit.config_dir import config_dir

HERE = Path(__file__).resolve().parent
Row = Mapping[str, Any]
Choice = Mapping[str, str]


def studies() -> list[str]:
    """The studies that are a sweep, by name; others are settings that these begin with, or tools."""
    return [name for name in sorted(path.stem for path in HERE.glob("study/*.yaml")) if len(_jobs(name)) > 1]


def cells_of(study: str) -> list[dict[str, str]]:
    """The choices that a study's sweep makes, seeds aside, in the order of its jobs; [{}] where it makes none."""
    jobs = [dict(override.lstrip("+").split("=", 1) for override in job) for job in _jobs(study)]
    chosen = [{name: value for name, value in job.items() if name not in ("study", "seed")} for job in jobs]
    return list({_key(choice): choice for choice in chosen}.values())


def _jobs(study: str) -> list[list[str]]:
    """The overrides of each job of a study's sweep."""
    composer = Composer(config_dir(), "train", [f"hydra.searchpath=[file://{HERE}]"])
    return composer.jobs([f"+study={study}"])


def by_cell(rows: Sequence[Row], cells: Sequence[Choice]) -> list[tuple[Choice, list[Row]]]:
    """Each cell with its results, none where it was not run; after them choices that no cell has made."""
    groups: dict[tuple[tuple[str, str], ...], list[Row]] = {_key(cell): [] for cell in cells}
    for row in rows:
        groups.setdefault(_key(row["choice"]), []).append(row)
    return [(dict(key), found) for key, found in groups.items()]


def _key(choice: Choice) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(value)) for name, value in choice.items()))
