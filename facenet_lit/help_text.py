"""What ``--help`` prints: the lines of the config files themselves, so that nothing is said twice."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template
from textwrap import indent

import yaml

from facenet_lit.composing import SHARED

# How the settings are wired, which is not the user's to set: the lists of defaults, Hydra's own, classes,
# and values that are filled in from other settings.
WIRING = re.compile(r" *(# @package|(defaults|hydra|_\w+_):|\w+: *\$\{)")


def help_text(folder: Path, name: str, more: Path | None = None) -> str:
    """The help of an entry point: its template, filled with every group, option and setting.

    Args:
        folder: where the configs are.
        name: the top-level config.
        more: a further folder of configs, whose groups are named, or None.
    """
    text = (folder / f"{name}.yaml").read_text(encoding="utf-8")
    config = yaml.safe_load(text)
    sections = ["\n".join(setting_lines(text))]
    for entry in config["defaults"]:
        for group, chosen in entry.items() if isinstance(entry, dict) else ():
            if not group.startswith("override "):
                sections.append(_group(folder, group, chosen))
    if more is not None:
        sections += [f"+{group.name}: {', '.join(_options(group))}" for group in _groups(more)]
    return Template(config["hydra"]["help"]["template"]).substitute(SETTINGS="\n\n".join(sections))


def setting_lines(text: str) -> list[str]:
    """The lines of a config file that say a setting, its default and what may stand there.

    Args:
        text: the file.
    """
    lines: list[str] = []
    hidden: int | None = None  # how deep the wiring stands that the line may belong to
    for line in filter(str.strip, text.splitlines()):
        if hidden is not None and _depth(line) > hidden:
            continue
        hidden = _depth(line) if WIRING.match(line) else None
        if hidden is None:
            lines.append(line)
    # A key of which nothing but wiring stood below goes too.
    depths = [*map(_depth, lines), 0]
    return [line for k, line in enumerate(lines) if not line.endswith(":") or depths[k + 1] > depths[k]]


def _group(folder: Path, group: str, chosen: str | None) -> str:
    """A group: what its options have in common, then each option."""
    options = _options(folder / group)
    default = f" (default: {chosen})" if chosen and len(options) > 1 else ""
    lines = [f"{group}: {', '.join(options)}{default}"]
    shared = folder / SHARED / f"{group}.yaml"
    if shared.is_file():
        lines.append(_indented(shared))
    for option in options:
        if len(options) > 1:
            lines.append(f"  {group}={option}")
        lines.append(_indented(folder / group / f"{option}.yaml", "    " if len(options) > 1 else "  "))
    return "\n".join(filter(None, lines))


def _indented(path: Path, by: str = "  ") -> str:
    return indent("\n".join(setting_lines(path.read_text(encoding="utf-8"))), by)


def _groups(folder: Path) -> list[Path]:
    return [place for place in sorted(folder.iterdir()) if place.is_dir() and _options(place)]


def _options(group: Path) -> list[str]:
    return sorted(path.stem for path in group.glob("*.yaml"))


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
