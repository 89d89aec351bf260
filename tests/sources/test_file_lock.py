from __future__ import annotations

import fcntl
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from facenet_lit.sources.file_lock import locked

HOLDER = """
import sys, time
from pathlib import Path
from facenet_lit.sources.file_lock import locked

with locked(Path(sys.argv[1]), "waiting"):
    print("held", flush=True)
    time.sleep(60)
"""


def is_free(path: Path) -> bool:
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_a_lock_is_held_and_let_go(tmp_path):
    path = tmp_path / "new" / "lock"
    with locked(path, "waiting"):
        assert not is_free(path)
    assert is_free(path)
    with pytest.raises(KeyError), locked(path, "waiting"):
        raise KeyError
    assert is_free(path)


def test_a_forked_process_does_not_hold_on_to_it(tmp_path):
    path = tmp_path / "lock"
    read, write = os.pipe()
    with locked(path, "waiting"):
        child = os.fork()
        if not child:
            os.read(read, 1)
            os._exit(0)
    try:
        assert is_free(path)
    finally:
        os.write(write, b"x")
        os.waitpid(child, 0)


def test_a_killed_process_leaves_no_lock(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    path, entered = tmp_path / "lock", threading.Event()

    def wait() -> None:
        with locked(path, "waiting for the other"):
            entered.set()

    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        thread = threading.Thread(target=wait)
        thread.start()
        assert not entered.wait(0.2)
        holder.send_signal(signal.SIGKILL)
    thread.join(20)
    assert entered.is_set()
    assert [record.message for record in caplog.records] == ["waiting for the other"]


def test_whoever_waited_while_the_folder_was_removed_makes_it_anew(tmp_path):
    path, inside, both = tmp_path / "folder" / "lock", [], threading.Event()

    def wait() -> None:
        with locked(path, "waiting"):
            inside.append(not is_free(path))  # the file that others see
            both.wait(20)

    with locked(path, "waiting"):
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(0.2)  # by now it waits for the file that goes
        shutil.rmtree(path.parent)
    both.set()
    thread.join(20)
    assert inside == [True]


@pytest.mark.parametrize("step", ["mkdir", "open"])
def test_a_folder_that_goes_while_it_is_opened_is_made_anew(tmp_path, monkeypatch, step):
    """The holder removes it just before one step, three times."""
    path, owner, removed = tmp_path / "folder" / "lock", Path if step == "mkdir" else os, []
    original = getattr(owner, step)

    def racing(place: Path, *arguments: object, **named: object) -> object:
        if Path(place).parent == tmp_path / ("" if step == "mkdir" else "folder") and len(removed) < 3:
            removed.append(place)
            shutil.rmtree(path.parent, ignore_errors=True)
            if step == "mkdir":  # as when it goes between being found and being looked at
                raise FileExistsError(17, "File exists")
        return original(place, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, racing)
        with locked(path, "waiting"):
            assert not is_free(path)
    assert len(removed) == 3


def test_a_lock_that_is_not_waited_for(tmp_path):
    path = tmp_path / "lock"
    with locked(path, "waiting"), pytest.raises(BlockingIOError), locked(path, None):
        pass
    with locked(path, None):
        assert not is_free(path)


def test_a_place_that_can_not_be_made(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(OSError, match=r"Not a directory|File exists"),
        locked(tmp_path / "file" / "lock", "waiting"),
    ):
        pass
