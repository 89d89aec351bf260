"""The command line, taken apart into options and overrides and put together again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from facenet_lit.errors import UserError

# With one of these Hydra answers by itself, and nothing is run; or it takes the config from elsewhere.
LEFT_TO_HYDRA = {"--hydra-help", "--version", "--cfg", "-c", "--info", "-i", "--resolve", "--package", "-p",
                 "--shell-completion", "-sc", "--config-path", "-cp", "--experimental-rerun"}  # fmt: skip


def left_to_hydra(arguments: Sequence[str]) -> bool:
    """Whether Hydra gets the command line as it is."""
    return any(argument.split("=")[0] in LEFT_TO_HYDRA for argument in arguments)


@dataclass(frozen=True)
class Arguments:
    """What a command line says.

    Attributes:
        overrides: of settings and groups, in their order.
        help: whether the groups and settings are to be shown.
        multirun: whether it is a sweep.
        config_dir: a further folder of configs, or None.
        config_name: another top-level config, or None.
    """

    overrides: list[str]
    help: bool
    multirun: bool
    config_dir: Path | None
    config_name: str | None

    def with_overrides(self, overrides: Sequence[str]) -> list[str]:
        """The command line with these overrides.

        They stand together, behind the options: Hydra refuses overrides on both sides of an option.
        """
        named = {"config-dir": self.config_dir, "config-name": self.config_name}
        options = [f"--{name}={value}" for name, value in named.items() if value is not None]
        return [*options, *(["--multirun"] if self.multirun else []), *overrides]


def read_arguments(arguments: Sequence[str]) -> Arguments:
    """Takes a command line apart.

    Raises:
        UserError: an option is unknown or lacks its value, or the folder of configs is not there.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--help", "-h", action="store_true")
    parser.add_argument("--multirun", "-m", action="store_true")
    parser.add_argument("--run", "-r", action="store_true")
    parser.add_argument("--config-dir", "-cd", type=Path)
    parser.add_argument("--config-name", "-cn")
    try:
        known, overrides = parser.parse_known_args(list(arguments))
    except argparse.ArgumentError as error:
        raise UserError(f"{error.argument_name}: {error.message}") from error
    unknown = [o for o in overrides if o.startswith("-")]
    if unknown:
        raise UserError(f"{unknown[0]}: no such option; settings are written name=value, see --help")
    if known.config_dir is not None and not known.config_dir.is_dir():
        raise UserError(f"--config-dir {known.config_dir}: no such folder")
    return Arguments(overrides, known.help, known.multirun, known.config_dir, known.config_name)
