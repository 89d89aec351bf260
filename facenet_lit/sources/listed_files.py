"""A list of pictures and whose they are: a CSV file with the columns ``path`` and ``identity`` (RFC 4180)."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

from facenet_lit.errors import UserError, shown

EXPECTED = "a CSV file in UTF-8 whose first line names its columns, path and identity among them"


class Row(NamedTuple):
    """A row of the list: the line it begins in, a picture's path, and its identity."""

    line: int
    path: str
    identity: str


def read_list(file: Path, root: Path) -> list[tuple[str, str]]:
    """Identity and path of every listed picture, in the list's order.

    Args:
        file: the list. Other columns than ``path`` and ``identity`` are ignored.
        root: what relative paths start from.

    Returns:
        Identities, without white space around them, and paths without needless ``./`` and ``//``.

    Raises:
        UserError: the list can't be read or is malformed, a path is listed twice, or there is no such file; it
            names the line.
    """
    seen: dict[str, Row] = {}
    absent = []
    for row in _rows(file):
        first = seen.setdefault(row.path, row)
        if first is not row:
            _refuse_repeated(file, first, row)
        if not os.path.isfile(os.path.join(root, row.path)):
            absent.append(row)
    if absent:
        more = f", and {len(absent) - 1} more are missing" if len(absent) > 1 else ""
        what = f"no file {shown(absent[0].path)} in {root}{more}"
        _fail(
            file,
            absent[0].line,
            what,
            "paths of files, relative to data.root, or to the list where that is null",
        )
    if not seen:
        _fail(file, 2, "no row", "a path and an identity")
    return [(row.identity, row.path) for row in seen.values()]


def _rows(file: Path) -> Iterator[Row]:
    """The rows, each with a path and an identity."""
    try:
        # A byte-order mark, as spreadsheets write it, is passed over.
        with file.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text, strict=True, skipinitialspace=True)
            path, identity = _columns(file, next(reader, []))
            line = reader.line_num + 1
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    _fail(file, line, "an empty row", "a path and an identity")
                if len(cells) <= max(path, identity):
                    _fail(
                        file,
                        line,
                        f"{len(cells)} cells",
                        f"{max(path, identity) + 1} or more, as in its first line",
                    )
                row = Row(line, cells[path], cells[identity].strip())
                if not (row.path and row.identity):
                    _fail(file, line, f"no {'identity' if row.path else 'path'}", "a path and an identity")
                yield row._replace(path=os.path.normpath(row.path))
                line = reader.line_num + 1
    except csv.Error as error:
        _fail(file, reader.line_num, str(error), "fields parted by commas, and quotes in pairs")
    except UnicodeDecodeError:
        raise UserError(f"data.list={file}: not UTF-8; expected {EXPECTED}; save it as UTF-8") from None
    except OSError as error:
        raise UserError(f"data.list={file}: can't be read ({error.strerror}); expected {EXPECTED}") from None


def _columns(file: Path, header: list[str]) -> tuple[int, int]:
    """Places of ``path`` and ``identity``."""
    names = [cell.strip().lower() for cell in header]
    for name in ("path", "identity"):
        if names.count(name) != 1:
            found = f"columns {', '.join(map(shown, header))}" if header else "an empty line"
            _fail(file, 1, found, f"one column {name}; the first line names the columns, parted by commas")
    return names.index("path"), names.index("identity")


def _refuse_repeated(file: Path, first: Row, row: Row) -> NoReturn:
    whose = (
        "" if first.identity == row.identity else f" of {shown(first.identity)}, now of {shown(row.identity)}"
    )
    found = f"{shown(row.path)} is in line {first.line} already{whose}"
    _fail(file, row.line, found, "every path once, and of one identity")


def _fail(file: Path, line: int, found: str, expected: str) -> NoReturn:
    raise UserError(f"data.list={file}: line {line}: {found}; expected {expected}; mend the list")
