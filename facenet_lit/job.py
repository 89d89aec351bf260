"""What a run is to do, as one process tells it to the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from facenet_lit.config_values import plain
from facenet_lit.loggers.dashboard import Settings
from facenet_lit.run_settings import run_settings


@dataclass(frozen=True)
class Job:
    """A run.

    Attributes:
        config: the whole config.
        folder: the run's folder.
        resumed: checkpoint to go on from, or None.
        choices: the option of each group.
        overrides: what the user said on the command line.
    """

    config: DictConfig
    folder: Path
    resumed: Path | None
    choices: Mapping[str, str | None]
    overrides: tuple[str, ...] = ()

    @property
    def row(self) -> Settings:
        """What a table of runs says of it."""
        return run_settings(plain(self.config), self.choices, self.overrides)

    def message(self) -> dict[str, Any]:
        """The job as plain values."""
        return {
            "config": plain(self.config),
            "folder": str(self.folder),
            "resumed": None if self.resumed is None else str(self.resumed),
            "choices": dict(self.choices),
            "overrides": list(self.overrides),
        }

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> Job:
        """The job that a message tells of."""
        resumed = message["resumed"]
        return cls(
            OmegaConf.create(message["config"]),
            Path(message["folder"]),
            None if resumed is None else Path(resumed),
            message["choices"],
            tuple(message["overrides"]),
        )
