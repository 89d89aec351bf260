"""Imports facenet_lit first: it declares what torchvision may lack, before torchmetrics imports it."""

import os
import signal
from collections.abc import Iterator

import pytest
from gloo_processes import Processes
from web_server import Server, serving

import facenet_lit  # noqa: F401
from facenet_lit.sources.lfw import LFWSource


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Ctrl-C reaches the tests that send it, also where a shell runs them in the background and ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def real_lfw() -> LFWSource:
    """LFW itself, for the tests that are marked ``real_faces``."""
    place = os.environ.get("FACENET_LIT_LFW")
    if not place:
        pytest.skip("FACENET_LIT_LFW names no archive or folder of LFW with its lists beside it")
    return LFWSource(place)


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests go to this machine, whatever proxy is set here."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server(direct: None) -> Iterator[Server]:
    """A server of this test's own."""
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def together() -> Iterator[Processes]:
    """Calls a function in processes that have met by gloo: ``together(2, function, argument)``."""
    processes = Processes()
    yield processes
    processes.close()
