"""The picture of a study: the balanced EER of each cell, a dot for each seed, and the loss on the way there."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from study_cells import Choice, Row
from study_table import label_of

from facenet_lit.plots.style import FAINT, GENUINE, MARK

FIGURE = "test/eer_balanced"
MARGIN = 0.2  # of every study's triplets
BAND = 0.84  # of a line's height


def picture(title: str, cells: Sequence[tuple[Choice, Sequence[Row]]]) -> Figure:
    """Dots of the test people's balanced EER with their bounds, and beside them the loss on the way where it is kept.

    Args:
        title: stands above.
        cells: the choice of each, and its results; without any the line stays empty.
    """
    curves = [found[0].get("curve") if found else None for _, found in cells]
    with_curves = any(curves)
    height = 1.3 + 0.36 * max(len(cells), 3)
    figure = Figure(figsize=(13 if with_curves else 8, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")
    panels = figure.subplots(1, 1 + with_curves, squeeze=False)[0]
    _draw_dots(panels[0], cells)
    if with_curves:
        _draw_curves(panels[1], curves)
    return figure


def _draw_dots(axes: Axes, cells: Sequence[tuple[Choice, Sequence[Row]]]) -> None:
    for place, (_, found) in enumerate(cells):
        values = [row[FIGURE] for row in found if row.get(FIGURE) is not None]
        if not values:
            said = "no figures" if found else "not run"
            axes.text(0.5, place, said, va="center", ha="right", fontsize=8, color=FAINT)
            continue
        for row in found:
            ends = [row.get(FIGURE + end) for end in ("_low", "_high")]
            if None not in ends:
                axes.plot(ends, [place, place], color=FAINT, linewidth=1, alpha=0.6)
        axes.plot(values, [place] * len(values), "o", color=GENUINE, markersize=5, alpha=0.7)
        axes.plot([statistics.fmean(values)], [place], "|", color=MARK, markersize=13, markeredgewidth=1.6)
    axes.set(xlim=(0, 0.55), ylim=(len(cells) - 0.4, -0.6))  # the first on top
    axes.set(yticks=range(len(cells)), yticklabels=[label_of(choice) for choice, _ in cells])
    axes.set_xlabel("balanced EER of the test people; grey: 95% bounds of a run; bar: mean", fontsize=9)
    axes.axvline(0.5, color=FAINT, linewidth=1, linestyle=":")
    axes.tick_params(labelsize=8)
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_curves(axes: Axes, curves: Sequence[Mapping[str, Sequence[Any]] | None]) -> None:
    """A band for each cell, beside its dots: the loss, from 0 at the foot to twice the margin; dotted is the margin."""
    for place, curve in enumerate(curves):
        if curve is None:
            continue
        losses = [math.nan if value is None else min(value, 2 * MARGIN) for value in curve["loss"]]
        heights = [place + BAND * (0.5 - loss / (2 * MARGIN)) for loss in losses]
        axes.axhline(place, color=FAINT, linewidth=1, linestyle=":")
        axes.axhspan(place - BAND / 2, place + BAND / 2, color=FAINT, alpha=0.08, linewidth=0)
        axes.plot(curve["step"], heights, color=GENUINE, linewidth=1.1)
    axes.set(ylim=(len(curves) - 0.4, -0.6), yticks=[])
    axes.set_xlabel(
        f"step; the loss over all triplets of a batch, first seed, cut at {2 * MARGIN:g}, dotted the margin",
        fontsize=9,
    )
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right", "left"]].set_visible(False)
