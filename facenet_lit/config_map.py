"""What the config files hold, read from their own lines: every group, option, setting and default.

``--help`` prints it and README.md has it as a table, so that nothing is said twice. After a change of conf/

    python -m facenet_lit.config_map README.md

writes the table anew, between its two marks.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

import yaml

from facenet_lit.composing import SHARED
from facenet_lit.config_dir import config_dir
from facenet_lit.errors import UserError
from facenet_lit.run_folder import write_atomically

MARKS = ("<!-- settings -->", "<!-- /settings -->")

# How the settings are wired, which is not the user's to set: the lists of defaults, Hydra's own, classes,
# and values that are filled in from other settings.
WIRING = re.compile(r" *(# @package|(defaults|hydra|name|_\w+_):|\w+: *\$\{)")
# A group in a list of defaults, and what is said of it.
_GROUP = re.compile(r" *- (\w+): (\w+)(?: *# (.*))?$")
# Another top-level config, whose settings this one has too.
_INCLUDED = re.compile(r"^ *- (\w+)$", re.MULTILINE)


class Option(NamedTuple):
    """A file of a group.

    Attributes:
        name: its name.
        about: what it is, "" where the file doesn't say.
        lines: its settings, a line each, with their comments.
        everywhere: its settings stand at the top of the config, not under the group's name.
    """

    name: str
    about: str
    lines: list[str]
    everywhere: bool


class Group(NamedTuple):
    """A folder of conf/.

    Attributes:
        name: its name.
        about: what it is for, "" where the list of defaults doesn't say.
        chosen: the option taken where the user names none, or None.
        shared: settings that every option has.
        options: by name.
    """

    name: str
    about: str
    chosen: str | None
    shared: list[str]
    options: list[Option]


def read_groups(folder: Path, name: str) -> list[Group]:
    """The groups of a top-level config, in the order of its list of defaults.

    Args:
        folder: where the configs are.
        name: the top-level config.
    """
    found = [_GROUP.match(line) for text in top_level_texts(folder, name) for line in text.splitlines()]
    groups = []
    for match in filter(None, found):
        group, chosen, about = match.groups()
        shared = folder / SHARED / f"{group}.yaml"
        groups.append(
            Group(
                group,
                about or "",
                None if chosen == "null" else chosen,
                setting_lines(_text(shared)) if shared.is_file() else [],
                [_option(path) for path in sorted((folder / group).glob("*.yaml"))],
            )
        )
    return groups


def top_level_texts(folder: Path, name: str) -> list[str]:
    """A top-level config and, behind it, those that it begins with.

    Args:
        folder: where the configs are.
        name: the top-level config.
    """
    text = _text(folder / f"{name}.yaml")
    others = [other for other in _INCLUDED.findall(text) if other != "_self_"]
    return [text, *(more for other in others for more in top_level_texts(folder, other))]


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


def settings(lines: list[str], under: str = "") -> dict[str, object]:
    """Settings by their full path, with their defaults.

    Args:
        lines: of a config file.
        under: the path that they stand under, "" for the top.
    """
    return _flat(yaml.safe_load("\n".join(lines)) or {}, under)


def settings_table(folder: Path, name: str) -> str:
    """Every group, option, setting and default of a top-level config, as a table in Markdown."""
    rows = ["| choice | what it is | settings and their defaults |", "|---|---|---|"]
    rows += [_row("", "Every run has these.", settings(setting_lines(_text(folder / f"{name}.yaml"))))]
    for group in read_groups(folder, name):
        default = f"; default `{group.chosen}`" if group.chosen and len(group.options) > 1 else ""
        rows.append(_row(f"**{group.name}**", f"{group.about}{default}", settings(group.shared, group.name)))
        for option in group.options:
            under = "" if option.everywhere else group.name
            rows.append(_row(f"`{group.name}={option.name}`", option.about, settings(option.lines, under)))
    return "\n".join(rows)


def with_table(text: str, table: str) -> str:
    """A page with the table between its marks.

    Raises:
        UserError: the page lacks them.
    """
    before, first, rest = text.partition(MARKS[0])
    _, last, after = rest.partition(MARKS[1])
    if not first or not last:
        raise UserError(f"the page has no {' ... '.join(MARKS)}: put them where the table is to stand")
    return f"{before}{first}\n\n{table}\n\n{last}{after}"


def _row(choice: str, about: str, values: dict[str, object]) -> str:
    shown = [f"`{path}={_shown(value)}`" for path, value in values.items()]
    return f"| {choice} | {about} | {' '.join(shown)} |"


def _shown(value: object) -> str:
    """A default as it is typed on a command line."""
    if isinstance(value, list):
        if any(isinstance(entry, dict) for entry in value):
            return "[...]"  # too long for a cell; --help has it whole
        return f"[{','.join(map(_shown, value))}]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _flat(values: dict[str, object], under: str) -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in values.items():
        path = f"{under}.{key}" if under else key
        flat |= _flat(value, path) if isinstance(value, dict) else {path: value}
    return flat


def _option(path: Path) -> Option:
    text = _text(path)
    lines = setting_lines(text)
    about = []
    while lines and lines[0].startswith("#"):
        about.append(lines.pop(0).removeprefix("#").strip())
    return Option(path.stem, " ".join(about), lines, text.startswith("# @package _global_"))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    page = Path(sys.argv[1])
    write_atomically(page, with_table(_text(page), settings_table(config_dir(), "train")))
