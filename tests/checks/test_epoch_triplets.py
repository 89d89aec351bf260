import random
from collections import defaultdict

import numpy as np
import pytest

from facenet_lit.checks.epoch_triplets import check_epoch, count_by_rules
from facenet_lit.checks.finding import Verdict

PEOPLE = np.array([0, 0, 0, 0, 0, 1, 2, 2, 3, 3, 3])


def drawn_one_by_one(people: list[int], rule: str) -> int:
    """The draw as it is told: two from the pool, until it holds fewer."""
    pools, count = defaultdict(list), 0
    for number, person in enumerate(people):
        pools[person].append(number)
    for pool in pools.values():
        while len(pool) > 1:
            anchor, positive = random.sample(pool, 2)
            count += 1
            for gone in {"positive": [positive], "anchor": [anchor], "both": [anchor, positive]}[rule]:
                pool.remove(gone)
    return count


@pytest.mark.parametrize("rule", ["positive", "anchor", "both"])
def test_counts_are_those_of_the_draw(rule: str) -> None:
    assert count_by_rules(PEOPLE)[rule] == drawn_one_by_one(PEOPLE.tolist(), rule)


def test_without_removal_every_pair_counts() -> None:
    pairs = sum(a == b for i, a in enumerate(PEOPLE) for b in PEOPLE[:i])
    assert count_by_rules(PEOPLE)["none"] == pairs


def test_the_rule_of_the_run_is_marked() -> None:
    counts = count_by_rules(PEOPLE)
    found = check_epoch(counts, counts, "anchor", 3, 9)
    assert found.verdict is Verdict.OK
    assert "3 batches of 9 rows, by sampler.removal=anchor" in found.said
    assert [row[0] for row in found.table if "this run" in row[-1]] == ["anchor"]
    assert found.table[1][:3] == ("positive", "7", "7")


def test_the_historical_rule_says_what_it_loses() -> None:
    counts = count_by_rules(PEOPLE)
    found = check_epoch(counts, counts, "both", 2, 9)
    assert found.verdict is Verdict.LOOK
    assert found.advice == "say sampler.removal=positive: both leaves out 3 triplets"


def test_batches_of_people_draw_none() -> None:
    counts = count_by_rules(PEOPLE)
    found = check_epoch(counts, counts, None, 2, 9)
    assert "sampler=pk draws no triplets" in found.said
    assert not any("this run" in row[-1] for row in found.table)
