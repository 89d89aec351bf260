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
FACTS = "run.json"
LOCK = ".lock"
LAST = Path("checkpoints") / "last.ckpt"

# Settings that say how a run is started, not what it is: it comes to the same on any number of processes.
NOT_COMPARED = ("resume", "hydra")
NOT_COMPARED_OF_TRAINER = ("devices",)


class FolderInUse(UserError):  # noqa: N818 - a UserError by its base, named for what happened
    """Another process trains in the folder."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the folder for this process.

    The lock belongs to the operating system: it ends with the process, however that ends, and is not handed
    down to worker processes, which may outlive it.

    Raises:
        FolderInUse: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / LOCK, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(
                f"{folder}: another process is training there; wait for it or name another"
            ) from None
        # A forked worker has the open file too, and would hold the lock by it. Closed there, it stays locked here.
        os.register_at_fork(after_in_child=file.close)
        yield


def is_locked(folder: Path) -> bool:
    """Whether a process trains there."""
    try:
        with open(folder / LOCK) as file:
            # Shared, so that two who look at once don't take one another for a run.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def write_atomically(path: Path, text: str) -> None:
    """Writes a text file by rename: it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def write_metrics(folder: Path, figures: Mapping[str, float | None]) -> None:
    """Writes metrics.json, the last file of a run: without it a run is unfinished."""
    _write_json(folder / METRICS, figures)


def write_facts(folder: Path, facts: Mapping[str, object]) -> None:
    """Writes run.json: what the figures came from."""
    _write_json(folder / FACTS, facts)


def read_facts(folder: Path) -> dict[str, object]:
    """What run.json tells of a run."""
    return dict(json.loads((folder / FACTS).read_text(encoding="utf-8")))


def _write_json(path: Path, values: Mapping[str, object]) -> None:
    write_atomically(path, json.dumps(dict(values), indent=2, allow_nan=False) + "\n")


def read_metrics(folder: Path) -> dict[str, float | None]:
    """Figures of a finished run; none where it is not finished."""
    path = folder / METRICS
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def is_finished(folder: Path) -> bool:
    """Whether a run ended there."""
    return (folder / METRICS).exists()


def ended_by(folder: Path) -> str | None:
    """The illness by which embedding health ended the run there; None where it did not."""
    found = read_facts(folder).get("ended_by") if (folder / FACTS).is_file() else None
    return None if found is None else str(found)


def is_over(folder: Path) -> bool:
    """Whether a run ended there: it is finished, or embedding health ended it with no checkpoint to score."""
    return is_finished(folder) or (
        ended_by(folder) is not None and read_facts(folder).get("best_step") is None
    )


def checkpoint_to_resume(folder: Path, config: Mapping[str, Any], resume: bool) -> Path | None:
    """What a run in this folder goes on from; None where the folder is free, or the run over.

    Args:
        folder: the run's folder.
        config: the resolved config, as plain values.
        resume: whether ``resume=auto`` was said.

    Raises:
        UserError: the folder holds another run, or this one and ``resume=auto`` was not said.
    """
    over, started = is_over(folder), (folder / LAST).is_file()
    if not over and not started:
        return None
    kind = "an unfinished run" if not over else "an ended run"
    kind = "a finished run" if is_finished(folder) else kind
    same = _same_config(folder / CONFIG, config)
    if resume and same:
        return None if over else folder / LAST
    if same:
        kind += f" of this config (resume=auto {'skips it' if over else 'goes on with it'})"
    elif resume:
        kind += " of another config"
    raise UserError(f"{folder}: holds {kind}; name another folder, or delete it")


def find_resumable(folders: Iterable[Path], config: Mapping[str, Any]) -> Path | None:
    """The newest unlocked run of this config that has a checkpoint and is not over.

    Args:
        folders: candidates.
        config: the resolved config, as plain values.
    """
    candidates = [folder for folder in folders if is_resumable(folder, config) and not is_locked(folder)]
    return max(candidates, key=lambda folder: (folder / LAST).stat().st_mtime, default=None)


def is_resumable(folder: Path, config: Mapping[str, Any]) -> bool:
    """Whether a run of this config has a checkpoint there and is not over."""
    started = (folder / LAST).is_file() and not is_over(folder)
    return started and _same_config(folder / CONFIG, config)


def _same_config(path: Path, config: Mapping[str, Any]) -> bool:
    if not path.is_file():
        return False
    try:
        saved = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError:
        return False
    return isinstance(saved, dict) and compared(saved) == compared(config)


def compared(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config without what says how the run is started."""
    # Through YAML and back, so that both sides went the same way (tuples, numbers like 1e-4).
    plain: dict[str, Any] = yaml.safe_load(yaml.safe_dump(dict(config)))
    kept = {key: value for key, value in plain.items() if key not in NOT_COMPARED}
    if isinstance(kept.get("trainer"), dict):
        kept["trainer"] = {k: v for k, v in kept["trainer"].items() if k not in NOT_COMPARED_OF_TRAINER}
    return kept
