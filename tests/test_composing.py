from pathlib import Path

import pytest
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from facenet_lit.composing import Composer, one_line
from facenet_lit.config_dir import config_dir
from facenet_lit.errors import UserError


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer(config_dir(), "train")


def checked(composer: Composer, *overrides: str) -> None:
    composer.check_keys(composer.compose(overrides))


def test_an_error_in_one_line() -> None:
    assert one_line(ValueError(" first\n   second\n\n third ")) == "first; second; third"
    assert one_line(ValueError("")) == "ValueError"


def test_an_error_of_omegaconf_names_the_setting_first() -> None:
    config = OmegaConf.create({"a": {"b": "${c}"}})
    with pytest.raises(OmegaConfBaseException) as caught:
        OmegaConf.to_container(config, resolve=True)
    line = one_line(caught.value)
    assert line.startswith("a.b: Interpolation key 'c' not found")
    assert line.endswith("--help shows all settings")
    assert "\n" not in line


def test_every_combination_is_a_job(composer: Composer) -> None:
    jobs = composer.jobs(["seed=0,1", "loss.margin=choice(0.1,0.2)", "test=false"])
    assert jobs == [
        [f"seed={seed}", f"loss.margin={margin}", "test=false"] for seed in (0, 1) for margin in (0.1, 0.2)
    ]
    with pytest.raises(UserError, match="mismatched input"):
        composer.jobs(["a=b=c"])


@pytest.mark.parametrize(
    "overrides",
    [
        ["data=lfw", "data.root=x", "+model.arguments.typo=1"],  # that is the backbone's to say
        ["sampler=pk", "trainer=gpu", "model=inception"],
        ["++data.size=72", "+metrics.fars=[0.5]", "~logger", "~callbacks"],
        ["+callbacks.mine.points=3", "+optimizer.typo=1"],
    ],
)
def test_settings_that_are_there(composer: Composer, overrides: list[str]) -> None:
    checked(composer, *overrides)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["+data.typo=1"], r"^data\.typo: no such setting; --help"),
        (["+data.root=x"], r"^data\.root: no such setting"),  # of another source
        (["+trainer.minute=1"], r"^trainer\.minute: no such setting, did you mean trainer\.minutes\?"),
        (["~trainer.devices"], r"^trainer\.devices: taken out, but needed"),
        (["~data.seed"], r"data\.seed"),
        (["~miner"], "^miner: taken out, but needed"),
        (["+typo=1"], "^typo=1: no such setting"),
    ],
)
def test_settings_that_are_not(composer: Composer, overrides: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        checked(composer, *overrides)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["trainer.step=3"], r"^trainer\.step: no such setting, did you mean trainer\.steps\?; --help"),
        (["data=folder", "data.rot=x"], r"^data\.rot: no such setting, did you mean data\.root\?"),
        (["model.arguments.depth=[1]"], r"did you mean model\.arguments\.depths\?"),
        (["sead=1"], r"^sead: no such setting, did you mean seed\?"),
        (["xyzzy.x=1"], r"^xyzzy\.x: no such setting; --help"),
    ],
)
def test_a_misspelt_setting_gets_the_nearest_at_its_place(
    composer: Composer, overrides: list[str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        composer.compose(overrides)


def test_groups_that_an_entry_point_lacks(composer: Composer) -> None:
    with pytest.raises(UserError, match="no such setting"):
        Composer(composer.folder, "evaluate").compose(["model=resnext", "loss=triplet"])


def test_only_groups_are_blamed_for_a_null(composer: Composer) -> None:
    with pytest.raises(UserError, match=r"^logger=null: expected an option of the group, or ~logger to do "):
        composer.compose(["trainer.minutes=null", "resume=null", "logger=null"])


def test_what_is_only_set_has_the_names_of_the_files(
    composer: Composer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the files alone are composed only where an override can add a setting, or take one out."""
    for override in ("checkpoint={typo: 1}", "model.arguments={typo: 1}", "callbacks={typo: 1}"):
        with pytest.raises(UserError, match="no such setting"):
            composer.compose([override])
    composed = composer.compose(["checkpoint={every_seconds: 3}", "model=inception", "data=lfw"])
    monkeypatch.setattr(composer, "compose", None)
    composer.check_keys(composed)


def test_options_of_a_whole_config_add_no_setting(composer: Composer) -> None:
    for file in sorted((composer.folder / "debug").glob("*.yaml")):
        checked(composer, f"debug={file.stem}", "++seed=0")


def test_a_study_may_change_settings_and_add_none(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    composer = Composer(config_dir(), "train", [f"hydra.searchpath=[file://{tmp_path}]"])
    text = "# @package _global_\ntrainer: {%s: 7}\n"
    (tmp_path / "study" / "small.yaml").write_text(text % "minutes")
    checked(composer, "+study=small")
    (tmp_path / "study" / "small.yaml").write_text(text % "minute")
    with pytest.raises(UserError, match=r"trainer\.minute: no such setting"):
        checked(composer, "+study=small")
