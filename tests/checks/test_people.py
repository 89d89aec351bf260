from collections import Counter
from statistics import mean, median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.checks.finding import Verdict
from facenet_lit.checks.people import check_people, count_people, images_of_identities
from facenet_lit.metrics.scored_pairs import effective_identities

MANY = np.repeat(np.arange(200), 3)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60))
def test_counts_are_those_of_a_loop(people: list[int]) -> None:
    crowd, counts = count_people(np.array(people)), list(Counter(people).values())
    assert crowd[:4] == (len(counts), len(people), min(counts), median(counts))
    assert crowd.mean == pytest.approx(mean(counts))
    assert crowd[5:7] == (max(counts), counts.count(1))
    # The figure that evaluations tell, of every genuine pair written out.
    pairs = [people[i] for i in range(len(people)) for j in range(i) if people[i] == people[j]]
    expected = effective_identities(np.array(pairs))
    assert crowd.effective == (None if expected is None else pytest.approx(expected))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=200))
def test_the_histogram_holds_everyone_once(people: list[int]) -> None:
    bars = images_of_identities(np.array(people))
    assert sum(height for _, height in bars) == len(set(people))
    assert bars[-1][1] > 0
    for label, height in bars:
        low, _, high = label.rstrip("+").partition("-")
        counts = Counter(people).values()
        most = float("inf") if label.endswith("+") else int(high or low)
        assert height == sum(int(low) <= count <= most for count in counts)


def test_enough_people_are_ok() -> None:
    crowd = count_people(MANY)
    found = check_people({"train": crowd, "val": crowd}, {"val": crowd})
    assert (found.verdict, found.advice) == (Verdict.OK, "")
    assert found.said.startswith("600 images of 200 people to train on. Effective")
    assert found.table[1] == ("train", "200", "600", "3", "3", "3.0", "3", "0 (0%)", "200.0")


def test_rates_that_hang_on_two_people_are_told() -> None:
    """Two of many hold nearly all pairs, as in LFW's test part."""
    crowd = count_people(np.concatenate([MANY, np.repeat([1000, 1001], 300)]))
    found = check_people({"train": crowd, "val": crowd, "test": crowd}, {"val": crowd, "test": crowd})
    assert found.verdict is Verdict.LOOK
    assert "val and test are about few people: go by the balanced ones" in found.advice
    assert found.table[1][-1] == "2.0"


def test_few_people_to_learn_from_and_one_image_of_each() -> None:
    crowd = count_people(np.arange(20))
    found = check_people({"train": crowd}, {})
    assert "train on 100 people or more" in found.advice
    assert found.table[1] == ("train", "20", "20", "1", "1", "1.0", "1", "20 (100%)", "-")
    assert "20 people to train on; the 20 with one image are negatives only." in found.said
