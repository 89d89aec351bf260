"""Composes every job's config before Hydra does, so that what is wrong with it is told in one line."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from facenet_lit.errors import UserError

# Groups of plain settings. What stands in the others is checked by the constructor that gets it.
PLAIN_GROUPS = ("data", "model", "trainer", "metrics", "checkpoint")

# What may be taken out whole: ~logger.
OPTIONAL = {"logger", "callbacks"}

# Overrides that can add a setting or take one out; Hydra holds the others to the settings of the config files.
ADDING = ("+", "~", "hydra.searchpath=")

SHARED = "shared"  # the folder with what the options of a group have in common


def one_line(error: BaseException) -> str:
    """The text of an error without its line breaks."""
    if isinstance(error, OmegaConfBaseException) and error.full_key:
        # What follows the first line is about OmegaConf.
        first = str(error).strip().splitlines()[0]
        return f"{error.full_key}: {first}; --help shows all settings"
    return re.sub(r"\s*\n\s*", "; ", str(error).strip()) or type(error).__name__


def is_basic_sweep(config: DictConfig) -> bool:
    """Whether the sweeper is the one whose jobs are known from the command line."""
    return "basic_sweeper" in str(OmegaConf.select(config, "hydra.sweeper._target_"))


class Composer:
    """Composes configs from overrides.

    Args:
        folder: where the configs are.
        name: the top-level config.
        extra: overrides that stand before all others.
    """

    def __init__(self, folder: Path, name: str, extra: Sequence[str] = ()) -> None:
        self.folder = folder
        self.name = name
        self.extra = list(extra)
        self._keys: dict[tuple[str, ...], _Keys] = {}

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """A job's config, with Hydra's own under ``hydra``.

        Raises:
            UserError: an override is wrong.
        """
        GlobalHydra.instance().clear()
        try:
            with initialize_config_dir(config_dir=str(self.folder), version_base="1.3"):
                return compose(self.name, overrides=[*self.extra, *overrides], return_hydra_config=True)
        except (HydraException, OmegaConfBaseException, ValueError) as error:  # bare: model=null
            raise UserError(self._explained(error, overrides)) from error
        finally:
            GlobalHydra.instance().clear()

    def jobs(self, overrides: Sequence[str]) -> list[list[str]]:
        """The overrides of every job of a sweep; of a sweeper other than the basic one, those of one.

        Raises:
            UserError: an override is wrong.
        """
        parsed = _parsed(overrides)
        single = [text for text, o in zip(overrides, parsed, strict=True) if not o.is_sweep_override()]
        base = self.compose(single)
        params = OmegaConf.select(base, "hydra.sweeper.params") or {}
        given = {override.get_key_element() for override in parsed}
        swept = [*(f"{key}={value}" for key, value in params.items() if key not in given), *overrides]
        basic = is_basic_sweep(base)
        choices = [
            _choices_of(override, basic) if override.is_sweep_override() else [text]
            for text, override in zip(swept, _parsed(swept), strict=True)
        ]
        jobs = [list(job) for job in itertools.product(*choices)]
        return jobs if basic else jobs[:1]

    def check_keys(self, config: DictConfig) -> None:
        """Checks that a job's config has the settings that the config files put there, and no other.

        ``+study=typo`` would else pass as a plain text, and ``+data.typo=1`` as a setting that nobody reads.

        Raises:
            UserError: it has not.
        """
        given = [*self.extra, *config.hydra.overrides.hydra, *config.hydra.overrides.task]
        if not any(override.startswith(ADDING) for override in given):
            return  # the config files need not be composed once more
        known = self._known(config)
        for key in map(str, config):
            if key not in known.top:
                hint = "; give --config-dir experiments, and a file of its study/" if key == "study" else ""
                raise UserError(f"{key}={config[key]}: no such setting{hint}; --help shows all of them")
        absent = [key for key in known.needed if key not in config]
        for group in PLAIN_GROUPS:
            settings = config.get(group)
            if not isinstance(settings, DictConfig):
                continue
            for key in map(str, settings):
                if key not in known.settings[group]:
                    raise UserError(
                        f"{group}.{key}: no such setting{_nearest(f'{group}.{key}', known.settings[group])}; "
                        "--help shows all of them"
                    )
            absent += [f"{group}.{key}" for key in known.settings[group] if key not in settings]
        if absent:
            raise UserError(f"{absent[0]}: taken out, but needed; leave ~{absent[0]} away")

    def _known(self, config: DictConfig) -> _Keys:
        """What the config files alone put there, for the options that a job chose."""
        chosen = {g: o for g, o in config.hydra.runtime.choices.items() if g in PLAIN_GROUPS and o}
        overrides = tuple(f"{group}={option}" for group, option in sorted(chosen.items()))
        if overrides not in self._keys:
            plain = self.compose(overrides)
            settings = {g: list(map(str, plain.get(g) or {})) for g in PLAIN_GROUPS}
            there = list(map(str, plain))
            needed = [key for key in there if key not in OPTIONAL]
            self._keys[overrides] = _Keys({*there, *self._groups}, needed, settings)
        return self._keys[overrides]

    def _explained(self, error: Exception, overrides: Sequence[str]) -> str:
        """Hydra's message in one line, with the nearest option or setting where one was misspelt."""
        text = one_line(error)
        wrong = re.search(r"Could not find '([^']+)/([^'/]+)'", text)
        if wrong:
            options = re.findall(r"^\s+(\S+)$", str(error), re.MULTILINE)
            near = difflib.get_close_matches(wrong[2], options, 1)
            hint = f"did you mean {wrong[1]}={near[0]}? " if near else ""
            return f"{wrong[1]}={wrong[2]}: {hint}expected one of {', '.join(options)}" if options else text
        wrong = re.search(r"Could not override '([^']+)'", text)
        if wrong:
            hint = _nearest(wrong[1], self._beside(wrong[1], overrides))
            return f"{wrong[1]}: no such setting{hint}; --help shows all of them"
        if "Config group override must be" in text:
            nulls = [o for o in self._choices(overrides) if o.endswith(("=null", "="))]
            without = " ".join(f"~{o.split('=')[0]}" for o in nulls if o.split("=")[0] in OPTIONAL)
            hint = f", or {without} to do without" if without else ""
            return f"{' '.join(nulls)}: expected an option of the group{hint}; --help shows all of them"
        return text

    def _beside(self, key: str, overrides: Sequence[str]) -> list[str]:
        """Names of the settings at the place of a misspelt one, for the options that were chosen."""
        try:
            config = self.compose([o for o in self._choices(overrides) if o.split("=")[0] != key])
        except UserError:  # the chosen options have errors of their own
            return []
        place = OmegaConf.select(config, key.rpartition(".")[0]) if "." in key else config
        return list(map(str, place)) if isinstance(place, DictConfig) else []

    def _choices(self, overrides: Sequence[str]) -> list[str]:
        """Those of the overrides that choose an option of a group."""
        return [o for o in overrides if o.lstrip("+").split("=")[0] in self._groups]

    @cached_property
    def _groups(self) -> set[str]:
        return {path.name for path in self.folder.iterdir() if path.is_dir()} - {SHARED}


class _Keys(NamedTuple):
    """Names of settings: those allowed at the top, those needed there, and those of each group."""

    top: set[str]
    needed: list[str]
    settings: dict[str, list[str]]


def _nearest(path: str, known: Sequence[str]) -> str:
    """A hint at the setting that a misspelt one is nearest to, among those at its place."""
    place, dot, key = path.rpartition(".")
    near = difflib.get_close_matches(key, known, 1)
    return f", did you mean {place}{dot}{near[0]}?" if near else ""


def _choices_of(override: Any, basic: bool) -> list[str]:
    """The overrides that a swept one stands for; of an interval, which only other sweepers take, its start."""
    key = override.get_key_element()
    if not override.is_interval_sweep():
        return [f"{key}={choice}" for choice in override.sweep_string_iterator()]
    if basic:
        raise UserError(
            f"{override.input_line}: an interval can't be gone through; say hydra/sweeper=optuna, or name its values"
        )
    return [f"{key}={override.value().start}"]


def _parsed(overrides: Sequence[str]) -> list[Any]:
    try:
        return list(OverridesParser.create().parse_overrides(list(overrides)))
    except HydraException as error:
        raise UserError(one_line(error)) from error
