"""How entry points start: compose first, and one-line errors.

Hydra ends with code 1 and several lines on a misspelt key, before any code of ours runs. So the overrides
are first composed here, and an error becomes one line and exit code 2.
"""

from __future__ import annotations

import argparse
import difflib
import glob
import itertools
import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from facenet_lit.config_dir import config_dir
from facenet_lit.errors import UserError
from facenet_lit.run_folder import find_resumable

log = logging.getLogger(__name__)

Job = Callable[[DictConfig], None]
Completion = Callable[[Sequence[str]], list[str]]

# With one of these Hydra answers by itself, and nothing is run.
ASKING = {"--help", "-h", "--hydra-help", "--version", "--cfg", "-c", "--info", "-i", "--resolve",
          "--package", "-p", "--shell-completion", "-sc"}  # fmt: skip

BAD_INPUT = 2
INTERRUPTED = 130


def start(config_name: str, job: Job, completed: Completion | None = None) -> None:
    """Runs an entry point: checks the command line, then hands over to Hydra.

    Args:
        config_name: name of the top-level config.
        job: what is done with it, once per run or per job of a sweep.
        completed: gives overrides to stand before those of the user, which it is given.
    """
    try:
        arguments = sys.argv[1:]
        folder = config_dir()
        if not any(a.split("=")[0] in ASKING for a in arguments):
            arguments = _prepared(arguments, folder, config_name, completed)
        sys.argv[1:] = arguments
        # Hydra reads sys.argv, and names jobs after the config.
        hydra.main(version_base="1.3", config_path=str(folder), config_name=config_name)(_guarded(job))()
    except UserError as error:
        fail(error)
    except KeyboardInterrupt:
        print(f"\n{config_name}: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


def fail(error: BaseException) -> NoReturn:
    """Prints an error in one line and ends with code 2; raises it where HYDRA_FULL_ERROR=1."""
    if os.environ.get("HYDRA_FULL_ERROR") == "1":
        raise error
    print(f"error: {one_line(error)}", file=sys.stderr)
    sys.exit(BAD_INPUT)


def one_line(error: BaseException) -> str:
    """The text of an error without its line breaks."""
    return re.sub(r"\s*\n\s*", "; ", str(error).strip()) or type(error).__name__


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


def _guarded(job: Job) -> Job:
    """The job, its user errors told in one line."""

    def guarded(config: DictConfig) -> None:
        try:
            job(config)
        except Exception as error:
            cause = _user_error(error)
            if cause is None:
                raise
            fail(cause)

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
) -> list[str]:
    """Checks every job's overrides; points Hydra to the folder of the run that is gone on with.

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
        return arguments
    if completed is not None:
        more = completed(overrides)
        overrides, arguments = [*more, *overrides], [*more, *arguments]
    name = known.config_name or config_name
    extra = [f"hydra.searchpath=[file://{Path(known.config_dir).resolve()}]"] if known.config_dir else []
    for job in _jobs(folder, name, overrides, extra, known.multirun):
        config = _composed(folder, name, [*extra, *job])
        _check_top_level(config, folder, name)
        if not known.multirun:
            return [*arguments, *_resuming(config)]
    return arguments


def _jobs(
    folder: Path, name: str, overrides: Sequence[str], extra: Sequence[str], multirun: bool
) -> list[list[str]]:
    """The overrides of every job; of a sweeper other than the basic one, those of one."""
    if not multirun:
        return [list(overrides)]
    parsed = _parsed(overrides)
    single = [text for text, value in zip(overrides, parsed, strict=True) if not value.is_sweep_override()]
    base = _composed(folder, name, [*extra, *single])
    params = OmegaConf.select(base, "hydra.sweeper.params") or {}
    given = {value.get_key_element() for value in parsed}
    listed = [f"{key}={value}" for key, value in params.items() if key not in given]
    swept = [*listed, *overrides]
    choices = [
        list(value.sweep_string_iterator())
        if value.is_sweep_override()
        else [str(value.get_value_element_as_str())]
        for value in _parsed(swept)
    ]
    choices = [
        [f"{value.get_key_element()}={choice}" for choice in options] if value.is_sweep_override() else [text]
        for text, value, options in zip(swept, _parsed(swept), choices, strict=True)
    ]
    basic = "basic_sweeper" in str(OmegaConf.select(base, "hydra.sweeper._target_"))
    jobs = [list(job) for job in itertools.product(*choices)]
    return jobs if basic else jobs[:1]


def _parsed(overrides: Sequence[str]) -> list[Any]:
    try:
        return list(OverridesParser.create().parse_overrides(list(overrides)))
    except HydraException as error:
        raise UserError(one_line(error)) from error


def _composed(folder: Path, name: str, overrides: Sequence[str]) -> DictConfig:
    """A job's config, with Hydra's own under ``hydra``."""
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(config_dir=str(folder), version_base="1.3"):
            return compose(config_name=name, overrides=list(overrides), return_hydra_config=True)
    except (HydraException, OmegaConfBaseException, ValueError) as error:  # bare: model=null
        raise UserError(_explained(error, overrides)) from error
    finally:
        GlobalHydra.instance().clear()


def _explained(error: Exception, overrides: Sequence[str]) -> str:
    """Hydra's message in one line, with the nearest option where one was misspelt."""
    text = one_line(error)
    wrong = re.search(r"Could not find '([^']+)/([^'/]+)'", text)
    if wrong:
        options = re.findall(r"^\s+(\S+)$", str(error), re.MULTILINE)
        near = difflib.get_close_matches(wrong[2], options, 1)
        hint = f"did you mean {wrong[1]}={near[0]}? " if near else ""
        return f"{wrong[1]}={wrong[2]}: {hint}expected one of {', '.join(options)}" if options else text
    wrong = re.search(r"Could not override '([^']+)'", text)
    if wrong:
        return f"{wrong[1]}: no such setting; --help shows all of them"
    if "Config group override must be" in text:
        nulls = " ".join(o for o in overrides if o.endswith(("=null", "=")))
        return f"{nulls}: expected an option of the group; --help shows all of them"
    return text


def _check_top_level(config: DictConfig, folder: Path, name: str) -> None:
    """Raises UserError where a setting stands at the top that no config file puts there.

    ``+study=typo`` would else pass as a plain text.
    """
    groups = {path.name for path in folder.iterdir() if path.is_dir()}
    allowed = set(_composed(folder, name, [])) | groups
    for key in map(str, config):
        if key not in allowed:
            hint = "; give --config-dir experiments, and a file of its study/" if key == "study" else ""
            raise UserError(f"{key}={config[key]}: no such setting{hint}; --help shows all of them")


def _resuming(config: DictConfig) -> list[str]:
    """The override that makes Hydra go on in an unfinished run's folder, where there is one."""
    if config.get("resume") != "auto":
        return []
    pattern = str(OmegaConf.to_container(config.hydra, resolve=False)["run"]["dir"])  # type: ignore[call-overload, index]
    wildcard = "*".join(map(glob.escape, re.split(r"\$\{[^{}]*\}", pattern)))
    without_hydra = {key: value for key, value in config.items() if key != "hydra"}
    found = find_resumable(map(Path, glob.glob(wildcard)), plain(OmegaConf.create(without_hydra)))
    return [] if found is None else [f"hydra.run.dir={override_value(str(found))}"]
