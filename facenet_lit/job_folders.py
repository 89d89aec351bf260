"""Which folder Hydra is going to give a job, and whether the job may have it."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from facenet_lit.config_values import override_value, plain
from facenet_lit.errors import UserError
from facenet_lit.folder_checks import refuse_taken, refuse_unwritable
from facenet_lit.run_folder import find_resumable


def job_folder(config: DictConfig, number: int | None = None) -> Path:
    """The folder that Hydra will give a job.

    Args:
        config: of the job, with Hydra's own.
        number: of the job in its sweep; None for a single run.
    """
    if number is not None:
        with open_dict(config.hydra):
            config.hydra.job.num, config.hydra.job.id = number, str(number)
    HydraConfig.instance().set_config(config)  # what ${hydra:...} in a folder's name reads
    if number is None:
        return Path(config.hydra.run.dir)
    return Path(config.hydra.sweep.dir, config.hydra.sweep.subdir)


def check_job_folder(config: DictConfig, number: int | None = None) -> None:
    """Checks that a job can have its folder, before Hydra writes anything there.

    Args:
        config: of the job, with Hydra's own.
        number: of the job in its sweep; None for a single run.

    Raises:
        UserError: it can't be written in, or holds another run.
    """
    folder = job_folder(config, number)
    refuse_unwritable(folder)
    refuse_taken(folder, _of_run(config), config.get("resume") == "auto")


def refuse_nameless_sweep(config: DictConfig) -> None:
    """Raises UserError where a sweep should go on that can't be found again."""
    if config.get("resume") == "auto" and "${now:" in _pattern(config, "sweep", "dir"):
        raise UserError(
            "resume=auto: the sweep's folder has the time in its name, so an earlier one is not found; "
            "name the folder, as in hydra.sweep.dir=runs/sweeps/mine"
        )


def resuming(config: DictConfig) -> list[str]:
    """The override that makes Hydra go on in an unfinished run's folder, where there is one."""
    if config.get("resume") != "auto":
        return []
    wildcard = "*".join(map(glob.escape, re.split(r"\$\{[^{}]*\}", _pattern(config, "run", "dir"))))
    found = find_resumable(map(Path, glob.glob(wildcard)), _of_run(config))
    return [] if found is None else [f"hydra.run.dir={override_value(str(found))}"]


def _of_run(config: DictConfig) -> dict[str, Any]:
    """A job's config without Hydra's own, as plain values."""
    return plain(OmegaConf.create({key: value for key, value in config.items() if key != "hydra"}))


def _pattern(config: DictConfig, *keys: str) -> str:
    """A folder's name in Hydra's config, what is filled in still unfilled."""
    value: Any = OmegaConf.to_container(config.hydra, resolve=False)
    for key in keys:
        value = value[key]
    return str(value)
