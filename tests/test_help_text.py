from pathlib import Path

import pytest

from facenet_lit.config_dir import config_dir
from facenet_lit.help_text import help_text


@pytest.mark.parametrize(
    "line",
    [
        "data: folder, lfw, packed, synthetic, synthetic_tiny (default: synthetic)",
        "  # where the pictures come from, how they are split and cut",
        "  normalize: half      # none: [0, 1]; half: [-1, 1]; dataset: by the training images; image: each by itself",
        "  on_bad_image: error  # or skip",
        "  data=lfw",
        "    crop: 130            # the face without most of the background, of 250 pixels",
        "    removal: positive    # positive, anchor, both (the historical bug), none (every pair once)",
        "    mean_over: active    # or all; val/loss and test/loss are over all triplets either way",
        "  augmentation=none",
        "      downsample: pool   # or convolution",
    ],
)
def test_the_choices_of_a_setting_are_told(line: str) -> None:
    assert line in help_text(config_dir(), "train").splitlines()


def test_an_evaluation_shows_its_own_groups_alone() -> None:
    text = help_text(config_dir(), "evaluate")
    assert "\ndata: folder, lfw, packed, synthetic, synthetic_tiny\n" in text
    assert "\nmetrics: verification\n" in text
    assert "sampler" not in text
    assert "resnext" not in text


@pytest.mark.parametrize("name", ["train", "evaluate", "compare", "prepare", "doctor"])
def test_help_is_for_a_reader(name: str) -> None:
    text = help_text(config_dir(), name)
    assert "_target_" not in text
    assert "$" not in text
    assert "hydra:" not in text
    assert max(map(len, text.splitlines())) <= 120


def test_groups_of_another_folder_are_named(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "results").mkdir()
    (tmp_path / "study" / "mine.yaml").touch()
    text = help_text(config_dir(), "train", tmp_path)
    assert "\n+study: mine\n" in text
    assert "results" not in text
