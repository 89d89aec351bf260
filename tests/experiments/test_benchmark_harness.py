from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks import harness
from benchmarks.harness import Row, measure, seconds_and_memory, taking_turns

MODULE = """
import time
import numpy as np
from benchmarks.harness import Row

def nothing():
    pass

def rows():
    held = np.ones(2**22)
    return [
        Row("other", nothing, None, None, nothing, "", ""),
        Row("sum", lambda: np.concatenate([held, held]).sum(), held.sum, held.max, nothing, "one", "most", True),
    ]
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "LONG_ENOUGH", 0.0)


def test_a_row_is_timed_and_its_memory_taken_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some_rows.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    calls = []
    row = Row(
        "sum",
        lambda: calls.append("ours"),
        lambda: calls.append("peer"),
        lambda: calls.append("bound"),
        lambda: calls.append("check"),
        "one",
        "most",
        slow_peer=True,
    )
    threads = torch.get_num_threads()
    found = measure("some_rows", row)
    torch.set_num_threads(threads)
    assert calls == ["check", *["ours", "bound"] * 5]  # the peer once, in its own process
    assert (found.work, found.peer_name, found.bound_name) == ("sum", "one", "most")
    assert found.peer is not None
    assert found.bound is not None
    assert 60 < found.ours_memory < 100  # both halves in a copy, 64 MiB
    assert found.peer_memory is not None
    assert found.peer_memory < 30


def test_what_does_not_agree_is_not_timed() -> None:
    def differ() -> None:
        raise AssertionError("ours 1, peer 2")

    row = Row("sum", pytest.fail, None, None, differ, "", "")
    with pytest.raises(AssertionError, match="ours 1, peer 2"):
        measure("nowhere", row)


def test_a_median_of_turns() -> None:
    naps = iter([0.2, 0, 0, 0, 0])
    taken = taking_turns({"one": lambda: time.sleep(next(naps)), "other": lambda: time.sleep(0.01)})
    assert taken["one"] < 0.01 <= taken["other"] < 0.2


def test_memory_is_what_the_peak_rises_by() -> None:
    held = np.ones(2**21)
    _, memory = seconds_and_memory(lambda: np.concatenate([held] * 4).sum())
    assert 60 < memory < 100
    assert seconds_and_memory(lambda: time.sleep(0.01))[0] >= 0.01
