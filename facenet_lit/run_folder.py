"""A run's folder: its lock, its files, and which unfinished run to go on with."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from facenet_lit.errors import UserError

CONFIG = "config.yaml"
METRICS = "metrics.json"
LOCK = ".lock"
LAST = Path("checkpoints") / "last.ckpt"
BEST = Path("checkpoints") / "best.ckpt"

# Settings that say how a run is started, not what it is.
NOT_COMPARED = ("resume", "hydra")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the folder for this process.

    The lock belongs to the operating system: it ends with the process, however that ends.

    Raises:
        UserError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / LOCK, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{folder}: another process is training there; wait for it or name another"
            ) from None
        yield


def is_locked(folder: Path) -> bool:
    """Whether a process trains there."""
    try:
        with locked(folder):
            return False
    except UserError:
        return True


def write_atomically(path: Path, text: str) -> None:
    """Writes a text file by rename: it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def write_metrics(folder: Path, figures: Mapping[str, float | None]) -> None:
    """Writes metrics.json, the last file of a run: without it a run is unfinished."""
    write_atomically(folder / METRICS, json.dumps(dict(figures), indent=2, allow_nan=False) + "\n")


def read_metrics(folder: Path) -> dict[str, float | None]:
    """Figures of a finished run; none where it is not finished."""
    path = folder / METRICS
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def clear(folder: Path) -> None:
    """Removes what an earlier run left in a folder where another begins.

    Else a run that is stopped before its first checkpoint would be gone on with from the earlier one's.
    """
    for left in (METRICS, LAST, BEST):
        (folder / left).unlink(missing_ok=True)


def find_resumable(folders: Iterable[Path], config: Mapping[str, Any]) -> Path | None:
    """The newest unlocked run of this config that has a checkpoint and is not finished.

    Args:
        folders: candidates.
        config: the resolved config, as plain values.
    """
    candidates = [folder for folder in folders if is_resumable(folder, config) and not is_locked(folder)]
    return max(candidates, key=lambda folder: (folder / LAST).stat().st_mtime, default=None)


def is_resumable(folder: Path, config: Mapping[str, Any]) -> bool:
    """Whether a run of this config has a checkpoint there and is not finished."""
    started = (folder / LAST).is_file() and not (folder / METRICS).exists()
    return started and _same_config(folder / CONFIG, config)


def _same_config(path: Path, config: Mapping[str, Any]) -> bool:
    if not path.is_file():
        return False
    try:
        saved = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError:
        return False
    return isinstance(saved, dict) and _compared(saved) == _compared(config)


def _compared(config: Mapping[str, Any]) -> dict[str, Any]:
    # Through YAML and back, so that both sides went the same way (tuples, numbers like 1e-4).
    plain: dict[str, Any] = yaml.safe_load(yaml.safe_dump(dict(config)))
    return {key: value for key, value in plain.items() if key not in NOT_COMPARED}
