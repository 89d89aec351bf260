"""Thresholds sought anew in every replicate, exactly.

What is sought is where a condition that holds from some threshold on begins to hold. All replicates are first counted
at a few thresholds that enclose them narrowly, then each between two of these, then pair by pair.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.metrics.bootstrap_counts import ROW, Replicates, Weights
from facenet_lit.metrics.bootstrap_table import PAST, PairTable

_LINES = 16  # thresholds that all replicates are counted at, besides those of the pairs as they are
_GRID = 1024  # places of either kind where the condition is looked at to foretell where it begins
_FEW = ROW * 7 // 8  # pairs between the last thresholds, so that with equal distances most fit into a row


class Search(ABC):
    """A condition on the weights that a threshold accepts, which holds from some threshold on."""

    @abstractmethod
    def excess(self, accepted: Weights, totals: Weights) -> Weights:
        """Grows with the threshold, from -1 to 1 at most, and is 0 or more where the condition holds.

        Args:
            accepted: (3, ..., S) weights accepted, of impostor pairs, genuine pairs, and genuine pairs balanced.
            totals: (3, S) those of all pairs.

        Returns:
            (..., S).
        """


class Enclosing(NamedTuple):
    """What the last threshold before a condition holds accepts, and what the first where it does.

    Attributes:
        before: (3, R) weights of impostor pairs, genuine pairs, and genuine pairs balanced.
        after: likewise; those of all pairs where the condition never holds.
    """

    before: Weights
    after: Weights


def enclose(replicates: Replicates, searches: Sequence[Search]) -> list[Enclosing]:
    """For each search, in every replicate, the two thresholds between which its condition begins to hold.

    Of thresholds that accept the same pairs of a replicate one stands for all. The table has pairs of both kinds.
    """
    grid = _grid(replicates.table)
    whole = replicates.table.weights_below(grid)  # (3, K) of the pairs as they are
    curves = [search.excess(whole[..., None], whole[:, -1:])[:, 0] for search in searches]
    starts = [min(int(np.searchsorted(curve, 0)), len(grid) - 1) for curve in curves]
    lines = np.unique([0, *grid[starts], PAST])
    counted = replicates.below(lines)  # (3, L, R)
    foretold = []
    for search, curve, start in zip(searches, curves, starts, strict=True):
        found = search.excess(counted[:, np.searchsorted(lines, grid[start])], replicates.totals)
        places = np.searchsorted(curve, curve[start] - found)  # as if all curves were one another's, shifted
        foretold.append(grid[places.clip(max=len(grid) - 1)])
    levels = np.quantile(np.concatenate(foretold), np.linspace(0, 1, _LINES), method="nearest")
    more = np.setdiff1d(levels, lines)
    if len(more):
        order = np.argsort(np.append(lines, more))
        lines = np.append(lines, more)[order]
        counted = np.concatenate([counted, replicates.below(more)], axis=1)[:, order]
    return [_between_lines(replicates, search, lines, counted) for search in searches]


def _grid(table: PairTable) -> IntArray:
    """Thresholds at places of the order, of impostor pairs the first more closely."""
    last = len(table) - 1
    spread = np.concatenate([np.linspace(0, last, _GRID), np.geomspace(1, last + 1, _GRID) - 1]).astype(int)
    genuine = np.linspace(0, len(table.genuine_steps) - 1, _GRID).astype(int)
    return np.unique(np.concatenate([[0], table.impostors(spread)[0], table.genuine_steps[genuine], [PAST]]))


def _between_lines(replicates: Replicates, search: Search, lines: IntArray, counted: Weights) -> Enclosing:
    """Narrows a search from thresholds (L,), of which what each accepts is counted (3, L, R)."""
    holds = search.excess(counted, replicates.totals) >= 0  # (L, R)
    first = np.where(holds.any(0), holds.argmax(0), len(lines))
    found = Enclosing(replicates.totals.copy(), replicates.totals.copy())
    for line in np.unique(first[first < len(lines)]):
        chosen = np.flatnonzero(first == line)
        ends = lines[line - 1], lines[line]
        part = _between_cuts(replicates, search, ends, counted[:, line - 1, chosen], chosen)
        for side, told in zip(found, part, strict=True):
            side[:, chosen] = told
    return found


def _between_cuts(
    replicates: Replicates, search: Search, ends: tuple[int, int], accepted: Weights, chosen: IntArray
) -> Enclosing:
    """Narrows a search of some replicates (S,) between two thresholds, the lower of which accepts (3, S)."""
    cuts = _cuts(replicates.table, *ends)
    counted = np.concatenate(
        [accepted[:, None], accepted[:, None] + replicates.between(cuts, chosen)], axis=1
    )  # (3, C, S)
    holds = search.excess(counted, replicates.totals[:, chosen]) >= 0
    first = holds.argmax(0)
    columns = np.arange(len(chosen))
    low, high = counted[:, first - 1, columns], counted[:, first, columns]
    found = Enclosing(low, high)
    inside = np.flatnonzero(cuts[first] - cuts[first - 1] > 1)  # elsewhere there is one distance
    if len(inside):
        bounds = cuts[first[inside] - 1], cuts[first[inside]]
        part = _pair_by_pair(replicates, search, bounds, low[:, inside], chosen[inside])
        for side, told in zip(found, part, strict=True):
            side[:, inside] = told
    return found


def _cuts(table: PairTable, low: int, high: int) -> IntArray:
    """Thresholds from one to another, with few pairs between each two, or with pairs of one distance alone."""
    impostors = table.impostors(slice(*table.below([low, high])))[0]
    genuine = table.genuine_steps[slice(*table.genuine_below([low, high]))]
    merged = np.sort(np.concatenate([impostors, genuine]))[::_FEW]
    many = merged[1:][np.diff(merged) == 0]
    cuts = np.unique(np.concatenate([[low], merged, many + 1, [high]]))
    return cuts[(cuts >= low) & (cuts <= high)]


def _pair_by_pair(
    replicates: Replicates,
    search: Search,
    bounds: tuple[IntArray, IntArray],
    accepted: Weights,
    chosen: IntArray,
) -> Enclosing:
    """Ends a search of replicates (S,) each between its own two thresholds, the lower of which accepts (3, S)."""
    steps, weights = replicates.pairs_between(bounds, chosen)  # (S, W), (3, S, W)
    order = np.argsort(steps, axis=1, kind="stable")
    steps = np.take_along_axis(steps, order, 1)
    upto = np.cumsum(np.take_along_axis(weights, order[None], 2), axis=2)
    points = np.concatenate([accepted[..., None], accepted[..., None] + upto], axis=2)  # (3, S, W + 1)
    # All pairs of one distance are accepted together: only after the last of them there is a threshold.
    whole = np.ones(points.shape[1:], bool)
    whole[:, 1:-1] = steps[:, 1:] != steps[:, :-1]
    holds = search.excess(points.transpose(0, 2, 1), replicates.totals[:, chosen]).T >= 0  # (S, W + 1)
    rows = np.arange(len(chosen))
    after = (whole & holds).argmax(1)
    before = points.shape[2] - 1 - (whole & ~holds)[:, ::-1].argmax(1)
    return Enclosing(points[:, rows, before], points[:, rows, after])
