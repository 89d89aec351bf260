"""How entry points start: every job's config checked first, and one-line errors.

Hydra ends with code 1 and several lines on a misspelt key, before any code of ours runs. So the overrides
are first composed here, and an error becomes one line and exit code 2.
"""

from __future__ import annotations

import argparse
import glob
import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from facenet_lit.composing import Composer, one_line
from facenet_lit.config_dir import config_dir
from facenet_lit.errors import UserError
from facenet_lit.run_folder import FolderInUse, find_resumable

log = logging.getLogger(__name__)

Job = Callable[[DictConfig], object]
Completion = Callable[[Sequence[str]], list[str]]

# With one of these Hydra answers by itself, and nothing is run.
ASKING = {"--help", "-h", "--hydra-help", "--version", "--cfg", "-c", "--info", "-i", "--resolve",
          "--package", "-p", "--shell-completion", "-sc"}  # fmt: skip

BAD_INPUT = 2
INTERRUPTED = 130
NO_READER = 141  # as of SIGPIPE: who read the output is gone


@dataclass
class _Outcome:
    """What became of the jobs.

    Attributes:
        resuming: Hydra was pointed to an unfinished run's folder.
        lost: another process took that folder first.
        failed: jobs of a sweep that ended with a user error.
    """

    resuming: bool = False
    lost: bool = False
    failed: int = 0


def start(config_name: str, job: Job, completed: Completion | None = None) -> None:
    """Runs an entry point: checks the command line, then hands over to Hydra.

    Args:
        config_name: name of the top-level config.
        job: what is done with it, once per run or per job of a sweep.
        completed: gives overrides to stand before those of the user, which it is given.
    """
    try:
        try:
            given = sys.argv[1:]
            while _run(given, config_name, job, completed).lost:
                log.info("resume=auto: another process took that run first, looking again")
        except UserError as error:
            fail(error)
        except KeyboardInterrupt:
            print(f"\n{config_name}: interrupted", file=sys.stderr)
            sys.exit(INTERRUPTED)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # as of --help | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is flushed at exit goes there
        sys.exit(NO_READER)


def _run(given: list[str], config_name: str, job: Job, completed: Completion | None) -> _Outcome:
    """Hands a command line over to Hydra, which reads sys.argv, and names jobs after the config."""
    folder, arguments, outcome = config_dir(), given, _Outcome()
    if not any(a.split("=")[0] in ASKING for a in given):
        arguments, resumed = _prepared(given, folder, config_name, completed)
        outcome.resuming = bool(resumed)
        arguments = [*arguments, *resumed]
    sys.argv[1:] = arguments
    guarded = _guarded(job, outcome)
    hydra.main(version_base="1.3", config_path=str(folder), config_name=config_name)(guarded)()
    if outcome.failed:
        print(f"error: {outcome.failed} jobs of the sweep failed, see above and sweep.csv", file=sys.stderr)
        sys.exit(BAD_INPUT)
    return outcome


def fail(error: BaseException) -> NoReturn:
    """Prints an error in one line and ends with code 2; raises it where HYDRA_FULL_ERROR=1."""
    if os.environ.get("HYDRA_FULL_ERROR") == "1":
        raise error
    print(f"error: {one_line(error)}", file=sys.stderr)
    sys.exit(BAD_INPUT)


def plain(config: Any) -> dict[str, Any]:
    """A resolved config as plain values."""
    values = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    return {str(key): value for key, value in values.items()} if isinstance(values, dict) else {}


def override_value(value: object) -> str:
    """A plain value as Hydra's command line reads it."""
    if isinstance(value, str):
        # Hydra reads a backslash as an escape only before a quote, the closing one too.
        escaped = re.sub(r"(\\*)('|\Z)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), value)
        return f"'{escaped}'"
    if isinstance(value, list):
        return f"[{','.join(map(override_value, value))}]"
    return "null" if value is None else str(value).lower()


def _guarded(job: Job, outcome: _Outcome) -> Job:
    """The job, its user errors told in one line; in a sweep the other jobs go on."""

    def guarded(config: DictConfig) -> object:
        try:
            return job(config)
        except Exception as error:
            if outcome.resuming and isinstance(error, FolderInUse):
                outcome.lost = True
                return None
            cause = _user_error(error)
            if cause is None:
                raise
            if HydraConfig.get().mode != RunMode.MULTIRUN or os.environ.get("HYDRA_FULL_ERROR") == "1":
                fail(cause)
            outcome.failed += 1
            log.error("error: %s", one_line(cause))
            return one_line(cause)  # the sweep's table has it from there

    return guarded


def _user_error(error: BaseException) -> BaseException | None:
    """The user error that an error came of: Hydra wraps those of constructors."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, (UserError, OmegaConfBaseException)):
            return seen
        seen = seen.__cause__
    # What is left is a setting that the constructor does not know, or of a wrong kind.
    return error if isinstance(error, InstantiationException) else None


def _prepared(
    arguments: list[str], folder: Path, config_name: str, completed: Completion | None
) -> tuple[list[str], list[str]]:
    """Checks every job's config.

    Returns:
        The command line, and what points Hydra to the folder of the run that is gone on with.

    Raises:
        UserError: a job can't be composed.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--multirun", "-m", action="store_true")
    parser.add_argument("--run", "-r", action="store_true")
    parser.add_argument("--config-dir", "-cd")
    parser.add_argument("--config-name", "-cn")
    parser.add_argument("--config-path", "-cp")
    parser.add_argument("--experimental-rerun")
    try:
        known, overrides = parser.parse_known_args(list(arguments))
    except SystemExit:
        sys.exit(BAD_INPUT)
    unknown = [o for o in overrides if o.startswith("-")]
    if unknown:
        raise UserError(f"{unknown[0]}: no such option; settings are written name=value, see --help")
    if known.config_dir and not Path(known.config_dir).is_dir():
        raise UserError(f"--config-dir {known.config_dir}: no such folder")
    if known.config_path or known.experimental_rerun:
        return arguments, []
    if completed is not None:
        more = completed(overrides)
        overrides, arguments = [*more, *overrides], [*more, *arguments]
    extra = [f"hydra.searchpath=[file://{Path(known.config_dir).resolve()}]"] if known.config_dir else []
    composer = Composer(folder, known.config_name or config_name, extra)
    for job in composer.jobs(overrides) if known.multirun else [overrides]:
        config = composer.compose(job)
        composer.check_keys(config)
        if not known.multirun:
            return arguments, _resuming(config)
        _refuse_nameless_sweep(config)
    return arguments, []


def _folder_pattern(config: DictConfig, *keys: str) -> str:
    """A folder's name in Hydra's config, what is filled in still unfilled."""
    value: Any = OmegaConf.to_container(config.hydra, resolve=False)
    for key in keys:
        value = value[key]
    return str(value)


def _refuse_nameless_sweep(config: DictConfig) -> None:
    """Raises UserError where a sweep should go on that can't be found again."""
    if config.get("resume") == "auto" and "${now:" in _folder_pattern(config, "sweep", "dir"):
        raise UserError(
            "resume=auto: the sweep's folder has the time in its name, so an earlier one is not found; "
            "name the folder, as in hydra.sweep.dir=runs/sweeps/mine"
        )


def _resuming(config: DictConfig) -> list[str]:
    """The override that makes Hydra go on in an unfinished run's folder, where there is one."""
    if config.get("resume") != "auto":
        return []
    wildcard = "*".join(map(glob.escape, re.split(r"\$\{[^{}]*\}", _folder_pattern(config, "run", "dir"))))
    without_hydra = {key: value for key, value in config.items() if key != "hydra"}
    found = find_resumable(map(Path, glob.glob(wildcard)), plain(OmegaConf.create(without_hydra)))
    return [] if found is None else [f"hydra.run.dir={override_value(str(found))}"]
