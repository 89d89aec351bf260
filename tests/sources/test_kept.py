from __future__ import annotations

import logging

import numpy as np
import pytest

from facenet_lit.errors import UserError
from facenet_lit.sources.kept import keep, report
from facenet_lit.sources.picture_files import Listing

TABLE = Listing.of(["Ada/1", "Ada/2", "Bo/1", "Cy/1", "Cy/2"])


def test_all_is_kept_where_all_decodes():
    numbers, identities, names, files, left_out = keep(TABLE, {})
    np.testing.assert_array_equal(numbers, np.arange(5))
    np.testing.assert_array_equal(identities, TABLE.identities)
    assert (names, files, left_out) == (TABLE.names, TABLE.files, {})


def test_pictures_and_people_without_any_are_left_out():
    numbers, identities, names, files, left_out = keep(TABLE, {2: "an empty file", 0: "cut short"})
    np.testing.assert_array_equal(numbers, [1, 3, 4])
    np.testing.assert_array_equal(identities, [0, 1, 1])
    assert identities.dtype == np.int64
    assert names == ("Ada", "Cy")
    assert files == ("Ada/2", "Cy/1", "Cy/2")
    assert list(left_out.items()) == [("Ada/1", "cut short"), ("Bo/1", "an empty file")]


def test_nothing_left_is_an_error():
    with pytest.raises(UserError, match=r"^none of 5 pictures decodes: Ada/1 \(x\), .*; expected JPEG"):
        keep(TABLE, dict.fromkeys(range(5), "x"))


def test_a_report_is_an_error_or_a_warning(caplog):
    report({}, "error")
    with pytest.raises(UserError, match=r"^1 pictures don't decode: Ada/1 \(cut short\); mend or remove"):
        report({"Ada/1": "cut short"}, "error")
    assert caplog.records == []
    report({"Ada/1": "cut short"}, "skip")
    assert caplog.messages == ["1 pictures don't decode: Ada/1 (cut short); left out"]


def test_more_than_a_line_holds_go_to_the_log(caplog):
    caplog.set_level(logging.WARNING)
    with pytest.raises(UserError, match=r"12 pictures .* and 2 more, all named in the log"):
        report({f"Ada/{n}": "x" for n in range(12)}, "error")
    assert caplog.messages[0].count("Ada/") == 12
