"""What a user did, said in one line: the error every check raises, and the checks of plain values."""

from __future__ import annotations

import math
from collections.abc import Iterable


class UserError(ValueError):
    """An input that can't be used. Its text is one line: the thing, what was expected, what to do.

    Entry points print it without a traceback and end with exit code 2.
    """


def shown(name: str) -> str:
    """A name from outside, such as a file's, as it stands in a line: quoted where it would not be told apart.

    A file's name may hold line breaks, commas, and bytes that are no UTF-8, which Python carries as surrogates
    that can't be printed.
    """
    return name if name.isprintable() and name == name.strip() and not set(name) & set(",;") else repr(name)


def check_integer(name: str, value: object, minimum: int, maximum: int | None = None) -> int:
    """Returns ``value`` if it is an integer in [minimum, maximum].

    Args:
        name: the setting's name as the user writes it, such as ``data.batch_size``.
        value: what the user gave.
        minimum: least value allowed.
        maximum: greatest value allowed; None for no limit.

    Raises:
        UserError: it is not.
    """
    wanted = (
        f"an integer of {minimum} or more" if maximum is None else f"an integer from {minimum} to {maximum}"
    )
    if isinstance(value, bool) or not isinstance(value, int):
        raise UserError(f"{name}={value!r}: expected {wanted}")
    if value < minimum or (maximum is not None and value > maximum):
        raise UserError(f"{name}={value}: expected {wanted}")
    return value


def check_number(
    name: str, value: object, minimum: float = 0.0, maximum: float = math.inf, *, above: bool = False
) -> float:
    """Returns ``value`` as a float if it is a finite number in [minimum, maximum].

    Args:
        name: the setting's name as the user writes it.
        value: what the user gave.
        minimum: least value allowed.
        maximum: greatest value allowed.
        above: ``minimum`` itself is not allowed.

    Raises:
        UserError: it is not.
    """
    low = f"above {minimum:g}" if above else f"of {minimum:g} or more"
    wanted = f"a number {low}" + ("" if maximum == math.inf else f" and at most {maximum:g}")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise UserError(f"{name}={value!r}: expected {wanted}")
    if value < minimum or value > maximum or (above and value == minimum):
        raise UserError(f"{name}={value}: expected {wanted}")
    return float(value)


def check_choice(name: str, value: object, choices: Iterable[str]) -> str:
    """Returns ``value`` if it is one of ``choices``.

    Raises:
        UserError: it is not.
    """
    choices = list(choices)
    if not isinstance(value, str) or value not in choices:
        raise UserError(f"{name}={value}: expected one of {', '.join(choices)}")
    return value


def check_flag(name: str, value: object) -> bool:
    """Returns ``value`` if it is a boolean.

    Raises:
        UserError: it is not.
    """
    if not isinstance(value, bool):
        raise UserError(f"{name}={value!r}: expected true or false")
    return value
