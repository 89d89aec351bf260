"""What an epoch gives: triplets by each removal rule, and batches."""

from __future__ import annotations

from facenet_lit.batch import IntArray
from facenet_lit.checks.finding import Cells, Finding, looked
from facenet_lit.data.triplets import REMOVAL_RULES, count_triplets

_MEANT = {
    "positive": "the positive leaves the pool: n - 1",
    "anchor": "the anchor leaves: n - 1",
    "both": "both leave, the historical bug: n // 2",
    "none": "every pair once: n (n - 1) / 2",
}


def count_by_rules(identities: IntArray) -> dict[str, int]:
    """Triplets of an epoch by each removal rule.

    Args:
        identities: (N,) identity of each image.

    Raises:
        UserError: they hold no genuine or no impostor pair.
    """
    return {rule: count_triplets(identities, rule) for rule in REMOVAL_RULES}


def check_epoch(
    source: dict[str, int], train: dict[str, int], removal: str | None, batches: int, rows: int
) -> Finding:
    """Tells what an epoch gives, and whether it is by the historical rule.

    Args:
        source: triplets of the whole source by rule.
        train: those of the training side.
        removal: the rule of the run; None where its sampler draws no triplets.
        batches: of an epoch.
        rows: of a batch.
    """
    said = f"An epoch has {batches:,} batches of {rows:,} rows"
    said += (
        "; sampler=pk draws no triplets, so the counts are only what drawn ones would be."
        if removal is None
        else f", by sampler.removal={removal}."
    )
    lost = train["positive"] - train["both"]
    advice = f"say sampler.removal=positive: both leaves out {lost:,} triplets" if removal == "both" else ""
    heads: Cells = ("", "whole source", "train", "of n images of a person")
    rules = [_row(rule, source, train, rule == removal) for rule in REMOVAL_RULES]
    return looked("triplets", said, advice, [heads, *rules])


def _row(rule: str, source: dict[str, int], train: dict[str, int], chosen: bool) -> Cells:
    mark = "  <- this run" if chosen else ""
    return (rule, f"{source[rule]:,}", f"{train[rule]:,}", _MEANT[rule] + mark)
