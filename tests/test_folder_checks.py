from pathlib import Path

import pytest
import yaml

from facenet_lit.errors import UserError
from facenet_lit.folder_checks import refuse_taken, refuse_unwritable
from facenet_lit.run_folder import CONFIG, LAST, METRICS, FolderInUse, locked

CONFIGURED = {"seed": 0}


def test_a_folder_that_is_free_stays_as_it_is(tmp_path: Path) -> None:
    refuse_taken(tmp_path / "new", CONFIGURED, False)
    refuse_unwritable(tmp_path / "new" / "run")
    refuse_unwritable(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_a_run(tmp_path: Path) -> None:
    (tmp_path / LAST).parent.mkdir()
    (tmp_path / LAST).touch()
    (tmp_path / CONFIG).write_text(yaml.safe_dump(CONFIGURED))
    refuse_taken(tmp_path, CONFIGURED, True)
    with pytest.raises(UserError, match="holds an unfinished run of this config"):
        refuse_taken(tmp_path, CONFIGURED, False)
    (tmp_path / METRICS).write_text("{}")
    with pytest.raises(UserError, match="holds a finished run of another config"):
        refuse_taken(tmp_path, {"seed": 1}, True)
    with locked(tmp_path), pytest.raises(FolderInUse):
        refuse_taken(tmp_path, CONFIGURED, True)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "run", Path("/proc/run"), tmp_path / ("x" * 300)):
        with pytest.raises(UserError, match=r"can't be written in \(.+\); name another folder") as caught:
            refuse_unwritable(folder)
        assert str(caught.value).startswith(f"{folder}: ")
