"""The table of what bounds_coverage.py counted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

EXPECTED = (0.93, 0.97)

# How many bounds are of a way, how often the truth is below them and how often above, the sum of their widths; of the
# bootstrap, then of the fallback. Then how often plain percentiles of the replicates, whatever the people are, hold it.
EACH = ("count", "below", "above", "width")
TALLIES = (*(f"{way}_{each}" for way in ("bootstrap", "fallback") for each in EACH), "plain_held")


def table(place: Path, names: Iterable[str]) -> str:
    """Coverage of each figure of each setting that was judged, in Markdown."""
    lines = []
    for name in names:
        path = place / f"{name}.json"
        if path.is_file():
            kept = json.loads(path.read_text(encoding="utf-8"))
            lines += [f"{_title(kept)}:", "", *(f"| {' | '.join(line)} |" for line in _lines(kept)), ""]
    return "\n".join(lines).rstrip()


def _title(kept: Mapping[str, Any]) -> str:
    sets = f"{kept['judged']:,} data sets of {kept['about']}"
    return sets if kept["truth"] else f"Differences of two runs that are equal in truth, on {sets}"


def _lines(kept: Mapping[str, Any]) -> Iterator[list[str]]:
    """Heads, and a line for each figure; what lies out of the range that is looked for is marked."""
    heads = [
        "figure",
        "true rate" if kept["truth"] else "0 left out",
        "by fallback",
        "coverage of the bootstrap",
    ]
    heads += ["truth below, above", "mean width", "coverage of the fallback", "mean width"]
    yield [*heads, "coverage of plain percentiles"]
    yield ["---"] * (len(heads) + 1)
    for figure, tallies in kept["tallies"].items():
        ways = [[tallies[f"{way}_{each}"] for each in EACH] for way in ("bootstrap", "fallback")]
        judged, outside = (sum(way[0] for way in ways), sum(way[1] + way[2] for way in ways))
        truth = kept["truth"] and kept["truth"][figure.removesuffix("_balanced")]
        first = f"{truth:.4f}" if truth else f"{outside / judged:.3f}"
        (covered, apart, width), (covered_else, _, width_else) = map(_way, ways)
        cells = [f"{ways[1][0] / judged:.0%}", covered, apart, width, covered_else, width_else]
        yield [figure, first, *cells, _marked(tallies["plain_held"] / judged)]


def _way(tallies: list[float]) -> tuple[str, str, str]:
    """Coverage of a way's bounds, the truth's shares on either side, and their mean width."""
    count, *sums = tallies
    if not count:
        return "-", "-", "-"
    under, over, width = (value / count for value in sums)
    return _marked(1 - under - over), f"{under:.3f}, {over:.3f}", f"{width:.3f}"


def _marked(share: float) -> str:
    least, most = EXPECTED
    share = round(share, 9)  # 1 - 0.03 - 0.04 is not below 0.93
    return f"{share:.3f}" + (" under" if share < least else " over" if share > most else "")
