"""The cells of a study: what its config says is to be run, and which of its results are whose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from facenet_lit.composing import Composer
from facenet_lit.config_dir import config_dir

HERE = Path(__file__).resolve().parent
CELL = "cell"  # the group of settings that a cell is, where it is more than one
Row = Mapping[str, Any]
Choice = Mapping[str, str]
Key = tuple[tuple[str, str], ...]


def studies() -> list[str]:
    """The studies that are a sweep, by name; others are settings that these begin with, or tools."""
    return [name for name in sorted(path.stem for path in HERE.glob("study/*.yaml")) if len(_jobs(name)) > 1]


def cells_of(study: str) -> list[dict[str, str]]:
    """The choices that a study's sweep makes, seeds aside, in the order of its jobs; [{}] where it makes none."""
    jobs = [dict(override.lstrip("+").split("=", 1) for override in job) for job in _jobs(study)]
    chosen = [{name: value for name, value in job.items() if name not in ("study", "seed")} for job in jobs]
    return list({key(choice): choice for choice in chosen}.values())


def overrides_of(choice: Choice) -> list[str]:
    """What is said on the command line for a choice: a cell is no setting of training, and comes in by "+"."""
    return [f"{'+' if name == CELL else ''}{name}={value}" for name, value in choice.items()]


def composed(study: str, choice: Choice) -> DictConfig:
    """The config of a study's job."""
    return _composer().compose([f"+study={study}", *overrides_of(choice)])


def by_cell(rows: Sequence[Row], cells: Sequence[Choice]) -> list[tuple[Choice, list[Row]]]:
    """Each cell with its results, none where it was not run; after them choices that no cell has made."""
    choices = {key(choice): choice for choice in (*(row["choice"] for row in rows), *cells)}
    groups: dict[Key, list[Row]] = {key(cell): [] for cell in cells}
    for row in rows:
        groups.setdefault(key(row["choice"]), []).append(row)
    return [(choices[of], found) for of, found in groups.items()]


def key(choice: Choice) -> Key:
    """What is the same for the same choice."""
    return tuple(sorted((name, str(value)) for name, value in choice.items()))


def _composer() -> Composer:
    return Composer(config_dir(), "train", [f"hydra.searchpath=[file://{HERE}]"])


@cache
def _jobs(study: str) -> list[list[str]]:
    """The overrides of each job of a study's sweep."""
    return _composer().jobs([f"+study={study}"])
