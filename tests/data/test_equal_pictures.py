from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.data.equal_pictures import (
    find_label_noise,
    find_repeats,
    first_equals,
    noise_line,
    repeats_line,
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


def test_lines_count_all_and_name_three():
    files = [f"p{number}.jpg" for number in range(8)]
    pairs = np.array([[0, 4], [1, 5], [2, 6], [3, 7]])
    named = "p0.jpg = p4.jpg, p1.jpg = p5.jpg, p2.jpg = p6.jpg"
    assert noise_line(pairs, files).startswith(
        f"label noise: 4 pictures are under more than one identity, {named}, ...; "
    )
    assert repeats_line(pairs[:3], files).startswith(
        f"duplicates: 3 images repeat another of the same identity, {named}; they are left out"
    )
