from __future__ import annotations

import socket

import pytest
from web_server import Server, gone, hanging, ranged, status, unmeasured, whole

from facenet_lit.sources.web_request import RequestFailed, requested

CONTENT = bytes(range(256)) * 1000


def asked(url: str, start: int = 0, timeout: float = 60.0) -> tuple[int, int | None, bytes]:
    with requested(url, start, timeout) as answer:
        return answer.start, answer.total, b"".join(answer.chunks)


def test_the_whole_and_a_part(server: Server) -> None:
    url = server.url("/a", ranged(CONTENT))
    assert asked(url) == (0, len(CONTENT), CONTENT)
    assert asked(url, 1000) == (1000, len(CONTENT), CONTENT[1000:])
    assert server.requests == ["/a", "/a bytes=1000-"]


def test_a_server_may_send_the_whole_where_a_part_was_asked_for(server: Server) -> None:
    assert asked(server.url("/a", whole(CONTENT)), 1000) == (0, len(CONTENT), CONTENT)


def test_a_start_past_the_end_gets_the_whole(server: Server) -> None:
    url = server.url("/a", ranged(CONTENT))
    assert asked(url, len(CONTENT)) == (0, len(CONTENT), CONTENT)
    assert server.requests == [f"/a bytes={len(CONTENT)}-", "/a"]


def test_the_length_may_be_unknown(server: Server) -> None:
    assert asked(server.url("/a", unmeasured(CONTENT))) == (0, None, CONTENT)


def test_redirections_are_followed_with_the_range(server: Server) -> None:
    there = server.url("/there", ranged(CONTENT))
    url = server.url("/here", status(302, Location=there))
    assert asked(url, 10) == (10, len(CONTENT), CONTENT[10:])
    assert server.requests == ["/here bytes=10-", "/there bytes=10-"]


@pytest.mark.parametrize(
    ("code", "again"),
    [(403, False), (404, False), (410, False), (416, False), (429, True), (500, True), (503, True)],
)
def test_statuses(server: Server, code: int, again: bool) -> None:
    with pytest.raises(RequestFailed, match=f"^answered {code} ") as caught:
        asked(server.url("/a", status(code)))
    assert caught.value.again == again


@pytest.mark.parametrize("reply", [status(202), status(204), status(206), status(206, Content_Range="none")])
def test_what_is_not_the_file(server: Server, reply: object) -> None:
    with pytest.raises(RequestFailed, match=r"^answered 20\d .*, not the file$") as caught:
        asked(server.url("/a", reply), 5)
    assert not caught.value.again


def test_another_part_than_that_asked_for(server: Server) -> None:
    url = server.url("/a", status(206, Content_Range="bytes 7-9/10"))
    with pytest.raises(RequestFailed, match=r"^sent bytes from 7 on, asked for those from 5 on$"):
        asked(url, 5)


def test_a_circle_of_redirections_is_told_in_one_line(server: Server) -> None:
    url = server.url("/a", lambda handler: handler.head(302, Location="/a", Content_Length=0))
    with pytest.raises(RequestFailed, match=r"^answered 302 .*infinite loop") as caught:
        asked(url)
    assert "\n" not in str(caught.value)


def test_silence(server: Server) -> None:
    for reply, message in [(hanging(), "^no answer in time$"), (hanging(CONTENT, 100), "^stopped sending$")]:
        with pytest.raises(RequestFailed, match=message) as caught:
            asked(server.url("/a", reply), timeout=0.3)
        assert caught.value.again


def test_a_connection_that_ends(server: Server) -> None:
    with pytest.raises(RequestFailed, match=r"^no answer \(") as caught:
        asked(server.url("/a", gone))
    assert caught.value.again
    # By what was sent before: who asked knows how much it was to be.
    assert asked(server.url("/a", ranged(CONTENT, 1000))) == (0, len(CONTENT), CONTENT[:1000])


def test_nobody_there(direct: None) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        urls = [
            f"http://127.0.0.1:{free.getsockname()[1]}/",
            "http://127.0.0.1:port/",
            f"http://{'a' * 64}.invalid/",
        ]
        for url in urls:
            with pytest.raises(RequestFailed, match=r"^no connection \(") as caught:
                asked(url)
            assert not caught.value.again
