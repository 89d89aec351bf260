"""The map of the config files is complete, and README.md has it as it is."""

import functools
from pathlib import Path

import pytest
import yaml
from entry_points import run_script
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

import facenet_lit.building  # noqa: F401 - it registers what ${own:...} of data=packed asks
from facenet_lit import config_map
from facenet_lit.config_dir import config_dir
from facenet_lit.config_map import (
    MARKS,
    read_groups,
    setting_lines,
    settings,
    settings_table,
    top_level_texts,
    with_table,
)
from facenet_lit.errors import UserError

README = Path(__file__).resolve().parents[1] / "README.md"
GROUPS = read_groups(config_dir(), "train")
OPTIONS = [(group.name, option.name) for group in GROUPS for option in group.options]


def test_settings_are_shown_with_their_comments_and_wiring_is_not() -> None:
    text = """# @package _global_
# What it is.
defaults:
  - _self_
_target_: module.Class
size: 3   # side; null: whole

seed: ${seed}
source:
  _target_: module.Source
  root: ${data.root}
curve:
  _target_: module.Curve
  points: 4
hydra:
  job: {name: x}
last:
  _target_: module.Last
"""
    shown = ["# What it is.", "size: 3   # side; null: whole", "curve:", "  points: 4"]
    assert setting_lines(text) == shown
    assert setting_lines("_target_: module.Class\n") == []


def test_every_folder_of_the_configs_is_a_group_and_every_file_an_option() -> None:
    files = {(path.parent.name, path.stem) for path in config_dir().glob("*/*.yaml")}
    assert set(OPTIONS) == {(group, name) for group, name in files if group not in ("shared", "hydra")}
    assert all(group.about for group in GROUPS)
    assert all(option.about for group in GROUPS for option in group.options)


def test_a_config_that_begins_with_another_has_its_groups() -> None:
    assert read_groups(config_dir(), "doctor") == GROUPS
    own, trains = top_level_texts(config_dir(), "doctor")
    assert "\nhtml: null " in own
    assert [trains] == top_level_texts(config_dir(), "train")


def test_defaults_are_those_of_the_top_level_config() -> None:
    entries = yaml.safe_load((config_dir() / "train.yaml").read_text())["defaults"]
    given = {group: name for entry in entries if isinstance(entry, dict) for group, name in entry.items()}
    assert {group.name: group.chosen for group in GROUPS}.items() <= given.items()
    assert [group.chosen for group in GROUPS if group.name in ("sampler", "debug")] == ["triplets", None]


@functools.cache
def composed(overrides: tuple[str, ...]) -> DictConfig:
    with initialize_config_dir(config_dir=str(config_dir()), version_base="1.3"):
        return compose("train", overrides=list(overrides))


def composed_with(group: str, option: str) -> DictConfig:
    """A config with an option, and with those at its place in all groups that say and take nothing of others."""
    names = {g.name: [o.name for o in g.options] for g in GROUPS if not any(o.everywhere for o in g.options)}
    del names["loss"]  # some losses want the default miner
    if group not in names:
        return composed((f"{group}={option}",))
    place = names[group].index(option)
    return composed(
        tuple(f"{name}={options[place]}" for name, options in names.items() if place < len(options))
    )


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_settings_and_defaults_are_those_that_hydra_composes(group: str, option: str) -> None:
    config = composed_with(group, option)
    [about] = [g for g in GROUPS if g.name == group]
    lines = {o.name: settings(o.lines, "" if o.everywhere else group) for o in about.options}
    # What synthetic_tiny does not say is said of synthetic.
    told = settings(about.shared, group) | lines.get(option.removesuffix("_tiny"), {}) | lines[option]
    for path, default in told.items():
        # YAML 1.1 reads 1e-3 as a text, OmegaConf as a number.
        here = OmegaConf.select(config, path)
        assert here == (float(default) if isinstance(here, float) else default), path
    inside = config.get(group, {})
    plain = {key for key, value in inside.items() if not OmegaConf.is_config(value)}
    wired = {
        key for key in plain if key[0] == "_" or key == "name" or OmegaConf.is_interpolation(inside, key)
    }
    assert {f"{group}.{key}" for key in plain - wired} <= told.keys()


def test_a_table_says_choices_and_defaults_as_they_are_typed() -> None:
    lines = settings_table(config_dir(), "train").splitlines()
    assert lines[0].count("|") == lines[1].count("|") == 4
    [row] = [line for line in lines if line.startswith("| `sampler=pk` |")]
    assert row.endswith("`sampler.short=singles` `data.batch_size=224` |")
    [row] = [line for line in lines if line.startswith("| **trainer** |")]
    assert "default `cpu`" in row
    assert "`trainer.minutes=null` " in row
    [row] = [line for line in lines if line.startswith("| `model=resnext` |")]
    assert "`model.arguments.depths=[1,2,3]`" in row
    assert len(lines) == 3 + len(GROUPS) + len(OPTIONS)


def test_a_page_gets_its_table_between_the_marks() -> None:
    page = f"before\n{MARKS[0]}\nold\n{MARKS[1]}\nafter\n"
    new = f"before\n{MARKS[0]}\n\n| new |\n\n{MARKS[1]}\nafter\n"
    assert with_table(page, "| new |") == new
    assert with_table(new, "| new |") == new
    with pytest.raises(UserError, match=MARKS[1]):
        with_table(f"{MARKS[0]} and no end", "")


def test_the_readme_has_the_table_of_these_configs() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_table(text, settings_table(config_dir(), "train")) == text


def test_the_command_writes_a_page_anew(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{MARKS[0]}{MARKS[1]}")
    ended = run_script(Path(config_map.__file__), page)
    assert ended.code == 0, ended.err
    assert settings_table(config_dir(), "train") in page.read_text()
