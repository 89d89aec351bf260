"""LFW's lists of people and of pairs.

Formats: Huang et al., "Labeled Faces in the Wild", UMass Amherst Technical Report 07-49, 2007, section 3,
and the data set's README. The development lists (view 1) have one block, people.txt and pairs.txt (view 2)
ten folds. Fields are parted by tabs; other white space serves too.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, NoReturn

from facenet_lit.errors import UserError


class ListedPair(NamedTuple):
    """Two images by their names ``Name/Name_0001.jpg``, and whether they show the same person."""

    first: str
    second: str
    same: bool


def read_people(path: str | Path) -> list[str]:
    """Names of all people of a list, peopleDevTrain.txt or people.txt style, in its order.

    Raises:
        UserError: the file can't be read, or a line is malformed; it names file and line.
    """
    return [name for fold in read_people_folds(path) for name in fold]


def read_people_folds(path: str | Path) -> list[list[str]]:
    """Names of the people of each fold of people.txt; a development list is one fold.

    Raises:
        UserError: the file can't be read, or a line is malformed; it names file and line.
    """
    lines = _Lines(path)
    # people.txt states its folds' number, then each fold's length on a line of its own.
    folds = lines.header(1)[0] if lines.fields_after_next() == 1 else 1
    result = [[_person(lines) for _ in range(lines.header(1)[0])] for _ in range(folds)]
    lines.expect_end()
    seen: set[str] = set()
    for name in (name for fold in result for name in fold):
        if name in seen:
            raise UserError(f"{path}: {name} is listed twice; expected every person once; mend the list")
        seen.add(name)
    return result


def read_pairs(path: str | Path) -> list[ListedPair]:
    """All pairs of a list, pairsDevTest.txt or pairs.txt style, in its order.

    Raises:
        UserError: the file can't be read, or a line is malformed; it names file and line.
    """
    return [pair for fold in read_pair_folds(path) for pair in fold]


def read_pair_folds(path: str | Path) -> list[list[ListedPair]]:
    """Pairs of each fold of pairs.txt, the genuine ones first; a development list is one fold.

    Raises:
        UserError: the file can't be read, or a line is malformed; it names file and line.
    """
    lines = _Lines(path)
    header = lines.header(1, 2)
    folds, count = (1, header[0]) if len(header) == 1 else header
    result = []
    for _ in range(folds):
        genuine = [_genuine_pair(lines) for _ in range(count)]
        result.append(genuine + [_impostor_pair(lines) for _ in range(count)])
    lines.expect_end()
    return result


def picture_name(name: str, number: int) -> str:
    """Name of a person's image: ``Name/Name_0001.jpg``."""
    return f"{name}/{name}_{number:04d}.jpg"


class _Lines:
    """The lines of a list, one after the other, and errors that name the line."""

    def __init__(self, path: str | Path) -> None:
        self._path, self._place = path, 0
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(
                f"{path}: can't be read as a text file ({error}); name a list in LFW's format"
            ) from None
        self._lines = [line.split() for line in text.rstrip().splitlines()]

    def next(self, expected: str, *lengths: int) -> list[str]:
        """Fields of the next line, if their number is one of ``lengths``."""
        self._place += 1
        if self._place > len(self._lines) or len(self._lines[self._place - 1]) not in lengths:
            self.fail(expected)
        return self._lines[self._place - 1]

    def header(self, *lengths: int) -> list[int]:
        """The next line as counts."""
        expected = "a count" if lengths == (1,) else "a count of pairs, or of folds and pairs"
        return [self.number(field, expected) for field in self.next(expected, *lengths)]

    def number(self, field: str, expected: str) -> int:
        """A field of the present line as a number of 1 or more."""
        if not (field.isascii() and field.isdigit() and len(field) < 10 and int(field) > 0):
            self.fail(expected)
        return int(field)

    def fields_after_next(self) -> int:
        """Number of fields of the line after the next."""
        return len(self._lines[self._place + 1]) if self._place + 1 < len(self._lines) else 0

    def expect_end(self) -> None:
        """Raises unless every line is read."""
        if self._place < len(self._lines):
            self._place += 1
            self.fail("the list's end, as its first line counts fewer entries")

    def fail(self, expected: str) -> NoReturn:
        """Raises the error that names the present line and what was expected there."""
        found = "the end of the file"
        if self._place <= len(self._lines):
            found = repr(" ".join(self._lines[self._place - 1]))
        raise UserError(f"{self._path}:{self._place}: found {found}, expected {expected}; mend the list")


def _person(lines: _Lines) -> str:
    expected = "a name and its number of images"
    name, count = lines.next(expected, 2)
    lines.number(count, expected)
    return name


def _genuine_pair(lines: _Lines) -> ListedPair:
    expected = "a name and the numbers of two different images"
    name, first, second = lines.next(expected, 3)
    numbers = lines.number(first, expected), lines.number(second, expected)
    if numbers[0] == numbers[1]:
        lines.fail(expected)
    return ListedPair(picture_name(name, numbers[0]), picture_name(name, numbers[1]), True)


def _impostor_pair(lines: _Lines) -> ListedPair:
    expected = "two different names, each with the number of an image"
    first, first_number, second, second_number = lines.next(expected, 4)
    if first == second:
        lines.fail(expected)
    return ListedPair(
        picture_name(first, lines.number(first_number, expected)),
        picture_name(second, lines.number(second_number, expected)),
        False,
    )
