from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.data.equal_pictures import (
    find_label_noise,
    find_repeats,
    first_equals,
    tell_noise,
    tell_repeats,
)

ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=14).map(sorted)


def digests(contents: list[int]) -> np.ndarray:
    """Digests that differ in their last byte alone, some of it 0: what a text of fixed length may drop."""
    result = np.full((len(contents), 32), 7, np.uint8)
    result[:, 31] = contents
    result[:, 30] = 0
    return result


@given(ROWS)
def test_against_a_loop_over_all_pairs(rows):
    identities = np.array([identity for identity, _ in rows], dtype=np.int64)
    contents = [content for _, content in rows]
    first = first_equals(digests(contents))
    assert first.tolist() == [contents.index(content) for content in contents]

    equal = [(a, b) for a, b in combinations(range(len(rows)), 2) if contents[a] == contents[b]]
    repeated = sorted({b for a, b in equal if identities[a] == identities[b]})
    repeats = find_repeats(identities, first)
    assert repeats[:, 1].tolist() == repeated
    assert all((int(a), int(b)) in equal and identities[a] == identities[b] for a, b in repeats)
    assert not set(repeats[:, 0].tolist()) & set(repeated)

    under_two = {contents[a] for a, b in equal if identities[a] != identities[b]}
    noise = find_label_noise(identities, first)
    assert sorted(contents[a] for a in noise[:, 0]) == sorted(under_two)
    assert all((int(a), int(b)) in equal and identities[a] != identities[b] for a, b in noise)


def test_a_line_counts_all_and_names_three_and_the_log_all(caplog):
    files = [f"p{number}.jpg" for number in range(8)]
    pairs = np.array([[0, 4], [1, 5], [2, 6], [3, 7]])
    named = ["p0.jpg = p4.jpg", "p1.jpg = p5.jpg", "p2.jpg = p6.jpg"]
    tell_noise(pairs, files)
    assert caplog.messages == [
        "label noise:\n  " + "\n  ".join([*named, "p3.jpg = p7.jpg"]),
        f"label noise: 4 pictures are under more than one identity, {', '.join(named)}, all named in the log; "
        "they are used under each; keep each under the person it shows",
    ]
    caplog.clear()
    tell_repeats(pairs[:3], files)
    assert caplog.messages == [
        f"duplicates: 3 images repeat another of the same identity, {', '.join(named)}; they are left out, as two "
        "equal pictures are no genuine pair"
    ]
    caplog.clear()
    tell_repeats(pairs, files)
    assert caplog.messages[0] == "duplicates:\n  " + "\n  ".join([*named, "p3.jpg = p7.jpg"])


def test_where_all_differ_nothing_is_told(caplog):
    tell_noise(np.empty((0, 2), np.int64), [])
    tell_repeats(np.empty((0, 2), np.int64), [])
    assert caplog.messages == []
