from pathlib import Path

import pytest

from facenet_lit.arguments import left_to_hydra, read_arguments
from facenet_lit.errors import UserError


def test_overrides_stand_together_behind_the_options(tmp_path: Path) -> None:
    given = ["seed=0", "--config-dir", str(tmp_path), "+study=x", "-m", "a=1,2", "~logger"]
    arguments = read_arguments(given)
    assert arguments.overrides == ["seed=0", "+study=x", "a=1,2", "~logger"]
    assert arguments.multirun
    rebuilt = arguments.with_overrides(["first=1", *arguments.overrides, "last=2"])
    assert rebuilt == [
        f"--config-dir={tmp_path}", "--multirun", "first=1", *arguments.overrides, "last=2"
    ]  # fmt: skip
    assert read_arguments(rebuilt).config_dir == tmp_path


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--typo"], "--typo: no such option"),
        (["a=1", "--config-name"], "--config-name/-cn: expected one argument"),
        (["--config-dir=missing"], "--config-dir missing: no such folder"),
    ],
)
def test_bad_options(given: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_arguments(given)


def test_who_answers() -> None:
    assert read_arguments(["a=1", "-h"]).help
    assert not read_arguments(["help=1"]).help
    assert left_to_hydra(["a=1", "--cfg=job"])
    assert not left_to_hydra(["a=1", "--multirun"])
