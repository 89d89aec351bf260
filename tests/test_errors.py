from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from facenet_lit.errors import UserError, check_choice, check_flag, check_integer, check_number, shown


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (lambda value: check_integer("a.b", value, 1), 1),
        (lambda value: check_integer("a.b", value, 1, 5), 5),
        (lambda value: check_number("a.b", value), 0),
        (lambda value: check_number("a.b", value, 0, 1), 1.0),
        (lambda value: check_number("a.b", value, above=True), 1e-9),
        (lambda value: check_choice("a.b", value, iter(["x", "y"])), "y"),
        (lambda value: check_flag("a.b", value), False),
    ],
)
def test_good_values_pass_unchanged(check: Callable[[object], object], value: object) -> None:
    assert check(value) == value


@pytest.mark.parametrize(
    ("check", "value", "expected"),
    [
        (lambda value: check_integer("a.b", value, 1), 0, "an integer of 1 or more"),
        (lambda value: check_integer("a.b", value, 1, 5), 6, "an integer from 1 to 5"),
        (lambda value: check_integer("a.b", value, 0), True, "an integer of 0 or more"),
        (lambda value: check_integer("a.b", value, 0), 1.0, "an integer of 0 or more"),
        (lambda value: check_integer("a.b", value, 0), "3", "an integer of 0 or more"),
        (lambda value: check_number("a.b", value), -1, "a number of 0 or more"),
        (lambda value: check_number("a.b", value, 0, 1), 2, "a number of 0 or more and at most 1"),
        (lambda value: check_number("a.b", value, above=True), 0, "a number above 0"),
        (lambda value: check_number("a.b", value), math.nan, "a number of 0 or more"),
        (lambda value: check_number("a.b", value), math.inf, "a number of 0 or more"),
        (lambda value: check_number("a.b", value), "1", "a number of 0 or more"),
        (lambda value: check_number("a.b", value), False, "a number of 0 or more"),
        (lambda value: check_choice("a.b", value, ["x", "y"]), "z", "one of x, y"),
        (lambda value: check_choice("a.b", value, ["x", "y"]), None, "one of x, y"),
        (lambda value: check_choice("a.b", value, ["x", "y"]), ["x"], "one of x, y"),
        (lambda value: check_flag("a.b", value), 1, "true or false"),
        (lambda value: check_flag("a.b", value), "true", "true or false"),
    ],
)
def test_bad_values_are_named_in_one_line(
    check: Callable[[Any], object], value: object, expected: str
) -> None:
    with pytest.raises(UserError) as caught:
        check(value)
    text = str(caught.value)
    assert text.startswith("a.b=")
    assert text.endswith(f"expected {expected}")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Zoë O'Hara/1.jpg", "Zoë O'Hara/1.jpg"),
        ("a, b", "'a, b'"),
        ("a; b", "'a; b'"),
        ("line\nbreak", r"'line\nbreak'"),
        ("no utf-8: \udceb", r"'no utf-8: \udceb'"),
        (" padded", "' padded'"),
        ("", ""),
    ],
)
def test_names_in_a_line_can_be_told_apart(name, line):
    assert shown(name) == line
    shown(name).encode()
