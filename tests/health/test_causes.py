"""What an illness may come of: only what a run can have, and only settings that there are."""

import re

import pytest

from facenet_lit.config_dir import config_dir
from facenet_lit.config_map import read_groups, setting_lines, settings
from facenet_lit.health.causes import Circumstances, causes
from facenet_lit.health.illnesses import ILLNESSES

PLAIN = Circumstances(0.05, False, False, "hard", squared=True, precision="bf16", weight_decay=0.5)
SOUND = Circumstances(1e-3, True, True, "semi_hard", clipped=True)
SOFTMAX = Circumstances(1e-3, True, True, None)
KINDS = [PLAIN, SOUND, SOFTMAX, SOUND._replace(miner="masked"), SOUND._replace(miner="given")]


def known() -> tuple[set[str], set[str]]:
    """Every setting by its path, and every choice."""
    paths = set(settings(setting_lines((config_dir() / "train.yaml").read_text())))
    choices = set()
    for group in read_groups(config_dir(), "train"):
        paths |= set(settings(group.shared, group.name))
        for option in group.options:
            choices.add(f"{group.name}={option.name}")
            paths |= set(settings(option.lines, "" if option.everywhere else group.name))
    return paths, choices


@pytest.mark.parametrize("illness", ILLNESSES)
def test_every_illness_has_causes_and_names_settings_that_there_are(illness: str) -> None:
    paths, choices = known()
    paths |= {"model.arguments"}
    for run in KINDS:
        found = causes(illness, run)
        assert len(found) == len(set(found)) >= 2
        for cause in found:
            assert len(cause) < 110
            for name, value in re.findall(r"\b((?:[a-z]+\.)*[a-z_]+)=([\w.]+)", cause):
                assert name in paths or f"{name}={value}" in choices, cause
            named = re.findall(
                r"\b(?:data|model|loss|optimizer|scheduler|trainer|sampler|callbacks)\.[a-z_]+", cause
            )
            assert set(named) <= paths, cause


def test_causes_that_a_run_can_not_have_are_left_out() -> None:
    assert "model.head=batchnorm" in " ".join(causes("collapse", PLAIN))
    assert not {"model.head=batchnorm", "model=resnext", "miner=semi_hard", "loss.squared=false"} & set(
        re.findall(r"[\w.]+=\w+", " ".join(causes("collapse", SOUND)))
    )
    assert "loss.scale" in " ".join(causes("exploding", SOFTMAX))
    assert "loss.scale" not in " ".join(causes("exploding", SOUND))
    assert "gradient_clip" not in " ".join(causes("nan", SOUND))
    assert "precision=32" in " ".join(causes("nan", PLAIN))


def test_pixels_that_are_around_0_need_not_be_brought_there() -> None:
    assert "data.normalize=half" in causes("inputs", SOUND._replace(centred=False))[0]
    assert "data.normalize=half" not in " ".join(causes("inputs", SOUND))


def test_the_rate_to_try_is_a_tenth() -> None:
    first = causes("collapse", PLAIN)[0]
    assert first.endswith("optimizer.lr=0.005 (now 0.05), scheduler.warmup=0.1")


@pytest.mark.parametrize(("rate", "blamed"), [(1e-3, True), (1e-5, False)])
def test_a_low_learning_rate_is_not_blamed(rate: float, blamed: bool) -> None:
    for illness in ("nan", "collapse", "partial_collapse", "exploding"):
        first = causes(illness, SOUND._replace(learning_rate=rate))[0]
        assert first.startswith("the learning rate is too high") == blamed
