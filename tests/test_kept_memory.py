"""Freed memory stays: in a process of its own, which then touches no fresh page."""

import subprocess
import sys

import pytest

COUNTED = """
import ctypes, resource, sys
from facenet_lit.kept_memory import keep_freed_memory
if sys.argv[1] == "kept":
    print(keep_freed_memory())

library, size = ctypes.CDLL(None), 128 << 20
library.malloc.restype = ctypes.c_void_p

def touched():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    array = ctypes.c_void_p(library.malloc(ctypes.c_size_t(size)))
    ctypes.memset(array, 1, size)
    library.free(array)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

touched()
print(touched() * resource.getpagesize())
"""


def pages(how: str) -> list[str]:
    return subprocess.run(
        [sys.executable, "-c", COUNTED, how], check=True, capture_output=True, text=True
    ).stdout.split()


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_a_freed_array_is_used_again() -> None:
    can, kept = pages("kept")
    (fresh,) = pages("plain")
    assert can == "True"
    assert int(kept) < 1 << 20
    assert int(fresh) > 64 << 20


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from facenet_lit import kept_memory

    monkeypatch.setattr(kept_memory.ctypes, "CDLL", lambda name: object())
    assert not kept_memory.keep_freed_memory()
