from pathlib import Path

import pytest

from facenet_lit.config_dir import config_dir
from facenet_lit.errors import UserError


def test_finds_this_checkout() -> None:
    assert (config_dir() / "train.yaml").is_file()
    assert config_dir().is_absolute()


def test_a_wheels_own_conf_comes_first(tmp_path: Path) -> None:
    package = tmp_path / "facenet_lit"
    for place in (package / "conf", tmp_path / "conf"):
        place.mkdir(parents=True)
        (place / "train.yaml").touch()
    assert config_dir(package) == package / "conf"


def test_a_conf_of_something_else_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    with pytest.raises(UserError, match=r"conf/train\.yaml: not found"):
        config_dir(tmp_path / "facenet_lit")
