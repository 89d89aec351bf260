from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks import harness
from benchmarks.harness import Row, fresh_process, measure, seconds_and_memory, taking_turns

MODULE = """
import time
import numpy as np
from benchmarks.harness import Row

def nothing():
    pass

held = []

def inputs():
    held.append(np.ones(2**22))

def both():
    return np.concatenate(held + held).sum()

def rows():
    share = {"slow_peer": True, "peer_share": 3, "inputs": inputs}
    return [
        Row("other", nothing, None, None, nothing, "", ""),
        Row("sum", both, lambda: time.sleep(0.1), lambda: held[0].max(), nothing, "one", "most", **share),
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
        pytest.fail,
        pytest.fail,
        pytest.fail,
        lambda: calls.append("check"),
        "one",
        "most",
        slow_peer=True,
        peer_share=3,
    )
    threads = torch.get_num_threads()
    found = measure("some_rows", row)
    torch.set_num_threads(threads)
    assert calls == ["check"]  # the sides in their own processes
    assert (found.work, found.peer_name, found.bound_name) == ("sum", "one", "most")
    assert found.peer is not None
    assert found.peer > 0.3  # three times what it took
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


def test_a_median_of_turns_and_the_most_memory() -> None:
    told = {
        "one": iter([(9.0, 1.0), *[(1.0, 7.0)] * 4]),
        "other": iter([(2.0, 3.0)] * 5),
        "slow": iter([(60, 4.0)]),
    }
    order = []

    def work(name: str) -> tuple[float, float]:
        order.append(name)
        return next(told[name])

    seconds, memory = taking_turns({name: partial(work, name) for name in told}, {"slow"})
    assert seconds == {"one": 1, "other": 2, "slow": 60}
    assert memory == {"one": 7, "other": 3, "slow": 4}
    assert order == ["one", "other", "slow", *["one", "other"] * 4]


def test_memory_is_what_the_peak_rises_by() -> None:
    # A fresh process: one that has trained keeps what it freed, and may not rise at all.
    with fresh_process() as process:
        joined = partial(np.concatenate, [np.ones(2**21)] * 4)
        _, memory = process.submit(seconds_and_memory, joined).result()
    assert 60 < memory < 100
    assert seconds_and_memory(lambda: time.sleep(0.01))[0] >= 0.01
