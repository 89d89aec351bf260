"""What ``--help`` prints: the lines of the config files themselves, so that nothing is said twice."""

from __future__ import annotations

from pathlib import Path
from string import Template
from textwrap import indent, wrap

import yaml

from facenet_lit.config_map import Group, read_groups, setting_lines, top_level_texts

_WIDTH = 110


def help_text(folder: Path, name: str, more: Path | None = None) -> str:
    """The help of an entry point: its template, filled with every group, option and setting.

    Args:
        folder: where the configs are.
        name: the top-level config.
        more: a further folder of configs, whose groups are named, or None.
    """
    text, *others = top_level_texts(folder, name)
    top = [line for each in (text, *others) for line in setting_lines(each)]
    sections = ["\n".join(top), *map(_section, read_groups(folder, name))]
    if more is not None:
        sections += _further(more)
    return Template(yaml.safe_load(text)["hydra"]["help"]["template"]).substitute(
        SETTINGS="\n\n".join(sections)
    )


def _section(group: Group) -> str:
    """A group: what its options have in common, then each option."""
    several = len(group.options) > 1
    default = f" (default: {group.chosen})" if group.chosen and several else ""
    lines = [f"{group.name}: {', '.join(option.name for option in group.options)}{default}"]
    lines += [_comment(group.about), *group.shared] if group.about else group.shared
    for option in group.options:
        shown = [*([_comment(option.about)] if option.about else []), *option.lines]
        if several:
            lines.append(f"{group.name}={option.name}")
        lines += [indent("\n".join(shown), "  ")] if several and shown else shown
    return "\n".join([lines[0], *(indent(line, "  ") for line in lines[1:])])


def _comment(text: str) -> str:
    return "\n".join(f"# {line}" for line in wrap(text, _WIDTH))


def _further(folder: Path) -> list[str]:
    """A line for each group of a further folder of configs."""
    groups = {place.name: sorted(p.stem for p in place.glob("*.yaml")) for place in sorted(folder.iterdir())}
    return [f"+{name}: {', '.join(options)}" for name, options in groups.items() if options]
