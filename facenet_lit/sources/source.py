"""What every source of pictures offers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from facenet_lit.batch import IntArray
from facenet_lit.errors import UserError, shown
from facenet_lit.preprocessing import Picture

Read = Callable[[], Picture]


class UnreadableImage(UserError):  # noqa: N818 - a UserError by its base, named for what happened
    """A picture that doesn't decode.

    Attributes:
        name: the picture's name in its source.
        reason: why, in a few words.
    """

    def __init__(self, name: str, reason: str = "not a whole picture") -> None:
        super().__init__(f"{shown(name)}: {reason}; mend or remove it, or set data.on_bad_image=skip")
        self.name = name
        self.reason = reason


class Table(Protocol):
    """Images by number with an identity table: a source's listing, or what of it was packed."""

    @property
    def names(self) -> Sequence[str]:
        """(K,) names of the identities: sorted, or by number where identities are numbered."""

    @property
    def identities(self) -> IntArray:
        """(N,) index into ``names`` per image, ascending."""

    @property
    def files(self) -> Sequence[str]:
        """(N,) a unique name per image, such as ``Ada_Lovelace/Ada_Lovelace_0001.jpg``."""


class Source(Table, Protocol):
    """Pictures by number with an identity table.

    Making one checks values and that its paths exist. Listing happens at the first use of ``names``,
    ``identities``, ``files`` or ``key``, decoding only by what ``pictures`` hands out.
    """

    @property
    def name(self) -> str:
        """Kind of the source: folder, lfw, synthetic."""

    @property
    def key(self) -> str:
        """Hash of what identifies the content: equal keys mean equal pictures."""

    def pictures(self) -> Iterator[tuple[int, Read]]:
        """Every image once, in the order that the source reads fastest.

        Yields:
            The image's number, and a function that decodes or draws it: (H, W, 3) uint8 RGB at source size.
            The function may be called from any thread; it raises UnreadableImage.
        """
        ...
