"""The settings that a table of runs has columns for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from facenet_lit.loggers.dashboard import Settings

# What a run is made of; other groups and settings have a column where the user chose them.
GROUPS = ("data", "sampler", "augmentation", "model", "loss", "miner")
SETTINGS = ("seed", "data.batch_size", "optimizer.lr", "trainer.minutes", "trainer.steps")

# Where things are and how they are shown: of no weight for what comes out.
LEFT_OUT = ("hydra", "callbacks", "logger", "resume", "data.root", "data.list", "data.lists", "data.cache")


def run_settings(
    config: Mapping[str, Any], choices: Mapping[str, str | None], overrides: Sequence[str]
) -> Settings:
    """The main choices and settings of a run, and those that the user said, by the names that are typed.

    Args:
        config: the resolved config, as plain values.
        choices: the option of each group.
        overrides: what the user said on the command line, such as ``loss.margin=0.1``.
    """
    said = [text.split("=", 1)[0].lstrip("+~").split("@")[0] for text in overrides]
    names = [*GROUPS, *(name for name in said if name in choices), *SETTINGS, *said]
    row: dict[str, str | float] = {}
    for name in dict.fromkeys(names):
        value = choices[name] if name in choices else _value_at(config, name)
        # A setting that says nothing, as minutes where there are steps, has an empty cell.
        if value is not None and not any(f"{name}.".startswith(f"{first}.") for first in LEFT_OUT):
            row[name] = _in_a_cell(value)
    return Settings(row, frozenset(said) & row.keys())


def _value_at(config: Mapping[str, Any], path: str) -> Any:
    value: Any = config
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _in_a_cell(value: object) -> str | float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)
