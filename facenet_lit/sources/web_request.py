"""A request for a file, or for what is missing of it, and what can go wrong with the answer."""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from typing import Any, NamedTuple

_CHUNK = 1 << 16  # bytes read at a time
_HEADERS = {"User-Agent": "facenet_lit (research code)"}  # to that of urllib some servers answer 403


class RequestFailed(Exception):  # noqa: N818 - what a server did, not an error of ours
    """A server did not give what was asked for.

    Attributes:
        again: whether it may at another try.
    """

    def __init__(self, reason: object, again: bool) -> None:
        super().__init__(" ".join(str(reason).split()))  # in one line
        self.again = again


class Answer(NamedTuple):
    """What a server sends.

    Attributes:
        start: number of the first byte sent, in the file.
        total: length of the file, where the server says it.
        chunks: the bytes as they come; raises RequestFailed where they stop.
    """

    start: int
    total: int | None
    chunks: Iterator[bytes]


@contextmanager
def requested(url: str, start: int, timeout: float) -> Iterator[Answer]:
    """Asks for the bytes of a file from one on (RFC 9110, section 14: range requests).

    Args:
        url: where it is; redirections are followed.
        start: number of the first byte wanted.
        timeout: seconds without a byte after which the server counts as gone.

    Yields:
        The answer: from ``start``, or from 0, which is all that some servers can do, and what they all do
        where ``start`` is no byte of the file.

    Raises:
        RequestFailed: there is no such answer.
    """
    with closing(_opened(url, start, timeout)) as response:
        first = _first_byte(response)
        if first not in (0, start):
            raise RequestFailed(f"sent bytes from {first} on, asked for those from {start} on", again=False)
        length = response.headers.get("Content-Length", "")
        yield Answer(first, first + int(length) if length.isdigit() else None, _chunks(response))


def _opened(url: str, start: int, timeout: float) -> Any:
    headers = {**_HEADERS, "Range": f"bytes={start}-"} if start else _HEADERS
    try:
        # An opener of its own reads the environment's proxies now, not when the first one was made.
        opener = urllib.request.build_opener()
        return opener.open(urllib.request.Request(url, headers=headers), timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        if start and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _opened(url, 0, timeout)
        busy = error.code == HTTPStatus.TOO_MANY_REQUESTS or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR
        raise RequestFailed(f"answered {error.code} {error.reason}", busy) from error
    except (urllib.error.URLError, http.client.InvalidURL, TimeoutError, ValueError) as error:
        reason = getattr(error, "reason", error)
        late = isinstance(reason, TimeoutError)
        raise RequestFailed("no answer in time" if late else f"no connection ({reason})", late) from error
    except (OSError, http.client.HTTPException) as error:
        raise RequestFailed(f"no answer ({error or type(error).__name__})", again=True) from error


def _first_byte(response: Any) -> int:
    """Number of the first byte of an answer."""
    if response.status == HTTPStatus.OK:
        return 0
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if response.status != HTTPStatus.PARTIAL_CONTENT or found is None:
        raise RequestFailed(f"answered {response.status} {response.reason}, not the file", again=False)
    return int(found[1])


def _chunks(response: Any) -> Iterator[bytes]:
    while True:
        try:
            chunk = response.read1(_CHUNK)
        except TimeoutError as error:
            raise RequestFailed("stopped sending", again=True) from error
        except (OSError, http.client.HTTPException) as error:
            raise RequestFailed(f"cut off ({error or type(error).__name__})", again=True) from error
        if not chunk:
            return
        yield chunk
