"""Two runs on the same people: differences of their figures, with bounds by the same draws of identities for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from facenet_lit.batch import IntArray, Rows
from facenet_lit.errors import UserError
from facenet_lit.metrics.bootstrap_intervals import LEAST_APART, Resampled, difference_of
from facenet_lit.metrics.bootstrap_table import HELD, PairTable
from facenet_lit.metrics.bounds import beside, bounds_by_name, by_ends
from facenet_lit.metrics.effective_number import ENOUGH
from facenet_lit.metrics.figures import BALANCED, figures, higher_is_better
from facenet_lit.metrics.pair_scoring import score_all_pairs, score_listed_pairs
from facenet_lit.metrics.rates import accuracy
from facenet_lit.metrics.resampling import ACCURACY, resample, resample_accuracy
from facenet_lit.metrics.scored_pairs import ScoredPairs


class Scored(NamedTuple):
    """A run's rates on the people that are compared on.

    Attributes:
        pairs: the pairs that they are of.
        told: rates that have bounds, by the names of their figures.
        resampled: each of them, resampled.
    """

    pairs: ScoredPairs
    told: dict[str, float]
    resampled: dict[str, Resampled]

    @property
    def figures(self) -> dict[str, float | None]:
        """The rates, each followed by its bounds."""
        return beside(self.told, by_ends(bounds_by_name(self.told, self.resampled)))


class Difference(NamedTuple):
    """A figure of two runs.

    Attributes:
        first: of the first run.
        second: of the second.
        difference: of the second less the first.
        low: the lower bound of the difference.
        high: the upper one.
        fallback: too few people for a bootstrap, or too few that the runs differ on: the bounds are what those of both
            figures by themselves leave.
    """

    first: float
    second: float
    difference: float
    low: float
    high: float
    fallback: bool


def score_run(
    rows: Rows,
    listed: IntArray | None,
    judged_at: float | None,
    replicates: int,
    threshold: float,
    fars: Sequence[float],
) -> Scored:
    """The rates of a run.

    Args:
        rows: (N, D) embeddings, ascending by image number.
        listed: (P, 2) image numbers of the pairs that are compared, None for all pairs.
        judged_at: the run's threshold of the accuracy on listed pairs, or None.
        replicates: of the bootstrap.
        threshold: distance at which TAR and FAR are given.
        fars: FARs at which TAR is given.

    Raises:
        UserError: see :func:`refuse_pairs`.
    """
    pairs = score_all_pairs(*rows[:3]) if listed is None else score_listed_pairs(*rows[:3], listed)
    refuse_pairs(len(pairs.genuine) + len(pairs.impostor), len(pairs.impostor))
    table = PairTable.of_all(rows) if listed is None else PairTable.of_list(rows, listed)
    told, resampled = figures(pairs, threshold, fars), resample(table, replicates, threshold, fars)
    if listed is not None and judged_at is not None:
        told[ACCURACY] = accuracy(pairs, judged_at)
        resampled[ACCURACY] = resample_accuracy(table, replicates, judged_at)
    known = {name: rate for name in resampled if (rate := told[name]) is not None}
    return Scored(pairs, known, resampled)


def refuse_pairs(count: int, impostors: int) -> None:
    """Raises UserError where so many pairs, some of them impostors, are too many to be drawn anew, or all of a kind."""
    if count > HELD:
        raise UserError(
            f"{count:,} pairs are more than {HELD:,}, which can't be drawn anew; say pairs=FILE, a list"
        )
    if not 0 < impostors < count:
        kind = "genuine" if impostors else "impostor"
        raise UserError(f"these images have no {kind} pair: expected both kinds; choose another part")


def differences(first: Scored, second: Scored) -> dict[str, Difference]:
    """The second run's figures less the first's, by name."""
    result = {}
    for name in first.told.keys() & second.told.keys():
        ours, theirs = second.told[name], first.told[name]
        low, high, fallback = difference_of((ours, second.resampled[name]), (theirs, first.resampled[name]))
        result[name] = Difference(theirs, ours, ours - theirs, low, high, fallback)
    return {name: result[name] for name in first.told if name in result}


def verdict(name: str, found: Difference, runs: Sequence[str]) -> str:
    """Which of two runs is better by a figure, in a sentence.

    Args:
        name: the figure's.
        found: its values.
        runs: what both runs are called.
    """
    values = (
        f"{name} {found.first:.4f} and {found.second:.4f}, difference {found.difference:+.4f} "
        f"({found.low:+.4f} to {found.high:+.4f})"
    )
    if found.fallback:
        values += " (too few people, or too few that the runs differ on, for a bootstrap)"
    if found.low <= 0 <= found.high:
        return f"at 95% it can't be told which run is better: {values}"
    if not _better(name, 1):
        return f"at 95% the runs differ, and which is better {name} alone can't say: {values}"
    better, worse = runs if _better(name, found.difference) == "first" else runs[::-1]
    return f"at 95% {better} is better than {worse}, on other people; another seed may differ: {values}"


def rows_of(found: Mapping[str, Difference]) -> list[dict[str, object]]:
    """The rows of the table: a figure each."""
    return [
        {
            "figure": name,
            "first": one.first,
            "second": one.second,
            "difference": f"{one.difference:+.4f}",
            "95% bounds": f"{one.low:+.4f} to {one.high:+.4f}" + (" (no bootstrap)" if one.fallback else ""),
            "better": "" if one.low <= 0 <= one.high else _better(name, one.difference),
        }
        for name, one in found.items()
    ]


def notes(found: Mapping[str, Difference]) -> list[str]:
    """What is to be known of the table, in lines to stand below it."""
    lines = [f"better: {len(found)} comparisons, each at 95% by itself: of many, some come out by chance"]
    if any(one.fallback for one in found.values()):
        lines.append(
            f"no bootstrap: fewer than {ENOUGH} effective identities, or the runs differ on fewer than {LEAST_APART}"
        )
    return lines


def _better(name: str, difference: float) -> str:
    if name.removesuffix(BALANCED) in (
        "tar",
        "far",
    ):  # at a fixed threshold one is no merit without the other
        return ""
    return "second" if (difference > 0) == higher_is_better(name) else "first"


def refuse_other_images(first: Rows, second: Rows) -> None:
    """Raises UserError where two runs were not given the same images of the same people."""
    same = np.array_equal(first.numbers, second.numbers) and np.array_equal(
        first.identities, second.identities
    )
    if not same:
        raise UserError(
            "the runs were given different images: some decode at one size alone; say data.on_bad_image=error"
        )
