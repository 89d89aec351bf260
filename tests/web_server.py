"""A web server on this machine that answers as it is told: in whole, in parts, wrongly, or not at all."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Reply = Callable[["Handler"], None]


class Server(ThreadingHTTPServer):
    """Answers requests for a path by its replies, one after the other, the last one for good.

    Attributes:
        replies: for each path.
        requests: path and Range of every request so far, ``/a bytes=5-``.
        released: what hanging replies wait for.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: dict[str, list[Reply]] = {}
        self.requests: list[str] = []
        self.released = threading.Event()

    def url(self, path: str, *replies: Reply) -> str:
        """The address of a path that answers so."""
        self.replies[path] = list(replies)
        return f"http://127.0.0.1:{self.server_port}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that went away are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Gives the reply of the path that is next."""
        self.server.requests.append(f"{self.path} {self.headers.get('Range', '')}".strip())
        replies = self.server.replies[self.path]
        self.close_connection = True
        (replies.pop(0) if len(replies) > 1 else replies[0])(self)

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def head(self, code: int, **headers: object) -> None:
        """Sends a status and headers, their names written with underscores."""
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()


@contextmanager
def serving() -> Iterator[Server]:
    """A server in a thread."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def whole(content: bytes) -> Reply:
    """All of it, whether a part was asked for or not."""

    def reply(handler: Handler) -> None:
        handler.head(200, Content_Length=len(content))
        handler.wfile.write(content)

    return reply


def ranged(content: bytes, sent: int | None = None) -> Reply:
    """What was asked for of it; cut off after ``sent`` bytes, where told."""

    def reply(handler: Handler) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        if start >= len(content):
            return handler.head(416, Content_Length=0, Content_Range=f"bytes */{len(content)}")
        span = f"bytes {start}-{len(content) - 1}/{len(content)}"
        headers = {"Content_Range": span} if asked else {}
        handler.head(206 if asked else 200, Content_Length=len(content) - start, **headers)
        handler.wfile.write(content[start:][:sent])

    return reply


def unmeasured(content: bytes) -> Reply:
    """All of it, without saying how long it is."""

    def reply(handler: Handler) -> None:
        handler.head(200)
        handler.wfile.write(content)

    return reply


def status(code: int, **headers: object) -> Reply:
    """A status and nothing else."""
    return lambda handler: handler.head(code, Content_Length=0, **headers)


def hanging(content: bytes = b"", sent: int = 0) -> Reply:
    """The head and so many bytes, if any, then silence."""

    def reply(handler: Handler) -> None:
        if content:
            handler.head(200, Content_Length=len(content))
            handler.wfile.write(content[:sent])
            handler.wfile.flush()
        handler.server.released.wait()

    return reply


def gone(handler: Handler) -> None:
    """Nothing: the connection is closed."""
