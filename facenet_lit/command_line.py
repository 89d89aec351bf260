"""How entry points start: every job's config checked first, and one-line errors.

Hydra ends with code 1 and several lines on a misspelt key, before any code of ours runs. So the overrides
are first composed here, and an error becomes one line and exit code 2.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from facenet_lit.arguments import Arguments, left_to_hydra, read_arguments
from facenet_lit.composing import Composer, is_basic_sweep, one_line
from facenet_lit.config_dir import config_dir
from facenet_lit.errors import UserError
from facenet_lit.help_text import help_text
from facenet_lit.job_folders import check_job_folder, refuse_nameless_sweep, resuming
from facenet_lit.run_folder import FolderInUse

log = logging.getLogger(__name__)

Job = Callable[[DictConfig], object]
Completion = Callable[[Sequence[str]], list[str]]

BAD_INPUT = 2
INTERRUPTED = 130
NO_FOLDER = "hydra.run.dir=."  # behind what the user says: Hydra makes the folder that it names
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


def start(config_name: str, job: Job, completed: Completion | None = None, keeps_folder: bool = True) -> None:
    """Runs an entry point: checks the command line, then hands over to Hydra.

    Args:
        config_name: name of the top-level config.
        job: what is done with it, once per run or per job of a sweep.
        completed: gives overrides to stand before those of the user, which it is given.
        keeps_folder: the job has a folder of its own; one that has none does one job at a start.
    """
    try:
        try:
            given = sys.argv[1:]
            while _run(given, config_name, job, completed, keeps_folder).lost:
                log.info("resume=auto: another process took that run first, looking again")
        except (UserError, OmegaConfBaseException) as error:
            fail(error)
        except KeyboardInterrupt as interrupt:  # the job may have told it what to do next
            print("; ".join([f"\n{config_name}: interrupted", *map(str, interrupt.args)]), file=sys.stderr)
            sys.exit(INTERRUPTED)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # as of --help | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is flushed at exit goes there
        sys.exit(NO_READER)


def _run(
    given: list[str], config_name: str, job: Job, completed: Completion | None, keeps_folder: bool
) -> _Outcome:
    """Hands a command line over to Hydra, which reads sys.argv, and names jobs after the config."""
    folder, outcome, sys.argv[1:] = config_dir(), _Outcome(), given
    if not left_to_hydra(given):
        arguments = read_arguments(given)
        if arguments.help:
            print(help_text(folder, config_name, arguments.config_dir))
            return outcome
        overrides, placed = _prepared(arguments, folder, config_name, completed, keeps_folder)
        outcome.resuming = keeps_folder and bool(placed)
        sys.argv[1:] = arguments.with_overrides([*overrides, *placed])
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


def _guarded(job: Job, outcome: _Outcome) -> Job:
    """The job, its user errors told in one line; in a sweep the other jobs go on."""

    def guarded(config: DictConfig) -> object:
        """Runs the job; in a sweep a user error is returned as its line."""
        try:
            return job(config)
        except Exception as error:
            if outcome.resuming and isinstance(error, FolderInUse):
                outcome.lost = True
                return None
            cause = user_error(error)
            if cause is None:
                raise
            if HydraConfig.get().mode != RunMode.MULTIRUN or os.environ.get("HYDRA_FULL_ERROR") == "1":
                fail(cause)
            outcome.failed += 1
            log.error("error: %s", one_line(cause))
            return one_line(cause)  # the sweep's table has it from there

    return guarded


def user_error(error: BaseException) -> BaseException | None:
    """The user error that an error came of: Hydra wraps those of constructors."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, (UserError, OmegaConfBaseException)):
            return seen
        seen = seen.__cause__
    # What is left is a setting that the constructor does not know, or of a wrong kind.
    return error if isinstance(error, InstantiationException) else None


def _prepared(
    arguments: Arguments, folder: Path, config_name: str, completed: Completion | None, keeps_folder: bool
) -> tuple[list[str], list[str]]:
    """Checks every job's config and folder.

    Returns:
        The overrides, and what points Hydra to the folder of the run that is gone on with, or to none.

    Raises:
        UserError: a job can't be composed, or can't have its folder.
    """
    overrides = arguments.overrides
    if arguments.multirun and (completed is not None or not keeps_folder):
        raise UserError(f"--multirun: {config_name} does one job at a start; start it once for each")
    if completed is not None:
        overrides = [*completed(overrides), *overrides]
    more = arguments.config_dir
    extra = [f"hydra.searchpath=[file://{more.resolve()}]"] if more else []
    composer = Composer(folder, arguments.config_name or config_name, extra)
    if arguments.multirun:
        _check_sweep(composer, overrides)
        return overrides, []
    config = composer.compose(overrides)
    composer.check_keys(config)
    if not keeps_folder:
        return overrides, [NO_FOLDER]
    resumed = resuming(config)
    if not resumed:
        check_job_folder(config)
    return overrides, resumed


def _check_sweep(composer: Composer, overrides: list[str]) -> None:
    """Raises UserError where a job can't be composed, or can't have its folder."""
    for number, job in enumerate(composer.jobs(overrides)):
        config = composer.compose(job)
        composer.check_keys(config)
        refuse_nameless_sweep(config)
        if is_basic_sweep(config):  # of another sweeper's jobs nobody knows yet what they will be
            check_job_folder(config, number)
