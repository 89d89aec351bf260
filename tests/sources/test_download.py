from __future__ import annotations

import hashlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from web_server import Handler, Reply, Server, gone, hanging, ranged, status, unmeasured, whole

from facenet_lit.errors import UserError
from facenet_lit.sources.download import Mirror, Patience, fetch

CONTENT = bytes(number * number * 7 % 251 for number in range(300_000))
OTHER = CONTENT[::-1]
ADVICE = "bring your own"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def part(target: Path) -> Path:
    return target.with_name(f"{target.name}.{sha256(CONTENT)[:8]}.part")


def fetched(target: Path, *urls: str, timeout: float = 60.0) -> None:
    mirrors = [Mirror(target.name, url, sha256(CONTENT)) for url in urls]
    fetch(target, mirrors, ADVICE, Patience(tries=3, timeout=timeout, pause=0.0), progress=False)


def expect(target: Path) -> None:
    """The file is whole, and nothing else lies beside it."""
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "some" / "where" / "faces.tgz"


@pytest.mark.parametrize("reply", [whole(CONTENT), ranged(CONTENT), unmeasured(CONTENT)])
def test_a_whole_file(server: Server, target: Path, reply: Reply) -> None:
    fetched(target, server.url("/a", reply))
    expect(target)
    assert server.requests == ["/a"]


def test_a_file_that_is_there_is_not_fetched(server: Server, target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.write_bytes(b"mine")
    fetched(target, server.url("/a", whole(CONTENT)))
    assert target.read_bytes() == b"mine"
    assert server.requests == []


@pytest.mark.parametrize("code", [202, 403, 404, 410])
def test_after_a_refusal_the_next_mirror(server: Server, target: Path, code: int) -> None:
    fetched(target, server.url("/a", status(code)), server.url("/b", whole(CONTENT)))
    expect(target)
    assert server.requests == ["/a", "/b"]


def test_a_redirection_is_followed(server: Server, target: Path) -> None:
    there = server.url("/there", ranged(CONTENT, 1000), ranged(CONTENT))
    fetched(target, server.url("/a", status(302, Location=there)))
    expect(target)
    assert server.requests == ["/a", "/there", "/a bytes=1000-", "/there bytes=1000-"]


def test_what_is_cut_off_is_gone_on_with(server: Server, target: Path) -> None:
    fetched(target, server.url("/a", ranged(CONTENT, 1000), ranged(CONTENT, 500), ranged(CONTENT)))
    expect(target)
    assert server.requests == ["/a", "/a bytes=1000-", "/a bytes=1500-"]


def test_a_busy_server_is_asked_again(server: Server, target: Path) -> None:
    fetched(target, server.url("/a", status(503), gone, ranged(CONTENT)))
    expect(target)
    assert server.requests == ["/a", "/a", "/a"]


def test_another_mirror_goes_on_where_one_was_cut_off(server: Server, target: Path) -> None:
    urls = server.url("/a", ranged(CONTENT, 1000), status(503)), server.url("/b", ranged(CONTENT))
    fetched(target, *urls)
    expect(target)
    assert server.requests == ["/a", "/a bytes=1000-", "/a bytes=1000-", "/b bytes=1000-"]


def test_a_server_that_knows_no_ranges_sends_it_anew(server: Server, target: Path) -> None:
    fetched(target, server.url("/a", ranged(CONTENT, 1000), whole(CONTENT)))
    expect(target)
    assert server.requests == ["/a", "/a bytes=1000-"]


def test_another_command_goes_on_where_one_was_cut_off(server: Server, target: Path) -> None:
    cut = server.url("/a", ranged(CONTENT, 1000), status(503))
    with pytest.raises(
        UserError, match="what came is kept, and the same command goes on from there; or bring"
    ):
        fetched(target, cut)
    assert part(target).read_bytes() == CONTENT[:1000]
    assert list(target.parent.iterdir()) == [part(target)]
    fetched(target, server.url("/b", ranged(CONTENT)))
    expect(target)
    assert server.requests[-1] == "/b bytes=1000-"


@pytest.mark.parametrize("reply", [whole(OTHER), unmeasured(OTHER), unmeasured(CONTENT[:-1]), whole(b"")])
def test_wrong_bytes_are_taken_out_and_the_next_mirror_asked(
    server: Server, target: Path, reply: Reply
) -> None:
    urls = server.url("/a", reply), server.url("/b", whole(CONTENT))
    with pytest.raises(UserError, match=r"/a sent other bytes than those of its sha256; bring your own$"):
        fetched(target, urls[0])
    assert list(target.parent.iterdir()) == []
    fetched(target, *urls)
    expect(target)
    assert server.requests == ["/a", "/a", "/b"]


def test_wrong_bytes_before_a_cut_are_found_and_fetched_anew(server: Server, target: Path) -> None:
    target.parent.mkdir(parents=True)
    part(target).write_bytes(OTHER[:1000])
    fetched(target, server.url("/a", ranged(CONTENT)))
    expect(target)
    assert server.requests == ["/a bytes=1000-", "/a"]


def test_wrong_bytes_behind_a_cut_are_refused(server: Server, target: Path) -> None:
    urls = server.url("/a", ranged(CONTENT, 1000), ranged(OTHER)), server.url("/b", whole(CONTENT))
    with pytest.raises(UserError, match="/a sent other bytes"):
        fetched(target, urls[0])
    assert list(target.parent.iterdir()) == []
    assert server.requests == ["/a", "/a bytes=1000-", "/a"]
    fetched(target, *urls)
    expect(target)


@pytest.mark.parametrize("left", [CONTENT, CONTENT + b"more", OTHER])
def test_a_part_as_long_as_the_file_or_longer(server: Server, target: Path, left: bytes) -> None:
    target.parent.mkdir(parents=True)
    part(target).write_bytes(left)
    fetched(target, server.url("/a", ranged(CONTENT)))
    expect(target)
    assert server.requests == ([] if left == CONTENT else [f"/a bytes={len(left)}-", "/a"])


def test_a_server_that_falls_silent(server: Server, target: Path) -> None:
    urls = server.url("/a", hanging(CONTENT, 1000), hanging()), server.url("/b", ranged(CONTENT))
    fetched(target, *urls, timeout=0.5)
    expect(target)
    assert server.requests == ["/a", "/a bytes=1000-", "/a bytes=1000-", "/b bytes=1000-"]


def test_no_mirror_gives_it(server: Server, target: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/"
        urls = server.url("/a", status(403)), server.url("/b", whole(OTHER)), nobody
        with pytest.raises(UserError) as caught:
            fetched(target, *urls)
    text = str(caught.value)
    assert text.startswith(
        f"data.download: faces.tgz can't be had: {urls[0]} answered 403 Forbidden; {urls[1]} sent "
    )
    assert f"; {nobody} no connection (" in text
    assert text.endswith("; bring your own")
    assert "\n" not in text
    assert list(target.parent.iterdir()) == []


def test_where_nothing_can_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=r"faces\.tgz can't be written \(.+\); make room, or bring your own$"):
        fetched(tmp_path / "file" / "faces.tgz", server.url("/a", whole(CONTENT)))


def test_more_than_there_is_room_for(server: Server, target: Path) -> None:
    def enormous(handler: Handler) -> None:
        handler.head(200, Content_Length=1 << 60)

    with pytest.raises(UserError, match=r"can't be written \(1099511627776 MiB needed, \d+ MiB free\)"):
        fetched(target, server.url("/a", enormous))


def test_ctrl_c_leaves_what_came(server: Server, target: Path) -> None:
    def interrupting(handler: Handler) -> None:
        handler.head(200, Content_Length=len(CONTENT))
        handler.wfile.write(CONTENT[:100_000])
        while not (part(target).exists() and part(target).stat().st_size):  # it may still be on its way
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)
        handler.server.released.wait()

    with pytest.raises(KeyboardInterrupt):
        fetched(target, server.url("/a", interrupting))
    came = part(target).read_bytes()
    assert 0 < len(came) <= 100_000
    assert CONTENT.startswith(came)
    fetched(target, server.url("/b", ranged(CONTENT)))
    expect(target)
    assert server.requests == ["/a", f"/b bytes={len(came)}-"]


def test_of_two_that_want_it_one_downloads(
    server: Server, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    go_on = threading.Event()

    def slow(handler: Handler) -> None:
        go_on.wait()
        ranged(CONTENT)(handler)

    def until(condition: Callable[[], object]) -> None:
        while not condition() and any(thread.is_alive() for thread in threads):
            time.sleep(0.01)

    url = server.url("/a", slow)
    # The lock knows two threads apart as it does two processes: each has opened the folder for itself.
    threads = [threading.Thread(target=fetched, args=(target, url)) for _ in range(2)]
    with caplog.at_level(logging.INFO):
        for thread in threads:
            thread.start()
        until(lambda: [message for message in caplog.messages if "waiting for another process" in message])
        go_on.set()
        for thread in threads:
            thread.join()
    expect(target)
    assert len(server.requests) == 1


GOOD = {"file": "a.tgz", "url": "https://example.org/a", "sha256": "0" * 64}


@pytest.mark.parametrize(
    "entry",
    [
        None,
        "https://example.org/a",
        {},
        {**GOOD, "size": 3},
        {k: v for k, v in GOOD.items() if k != "sha256"},
        {**GOOD, "file": "../a.tgz"},
        {**GOOD, "file": "/a.tgz"},
        {**GOOD, "file": ""},
        {**GOOD, "url": "file:///etc/hosts"},
        {**GOOD, "url": "ftp://example.org/a"},
        {**GOOD, "url": "https://example.org/a b"},
        {**GOOD, "sha256": "0" * 63},
        {**GOOD, "sha256": None},
    ],
)
def test_what_is_no_mirror(entry: object) -> None:
    with pytest.raises(
        UserError, match=r"^data\.source\.mirrors=.*: expected \{file: NAME, url: ADDRESS"
    ) as caught:
        Mirror.of("data.source.mirrors", entry)
    assert "\n" not in str(caught.value)


def test_a_mirror() -> None:
    assert Mirror.of("data.source.mirrors", GOOD) == ("a.tgz", "https://example.org/a", "0" * 64)
