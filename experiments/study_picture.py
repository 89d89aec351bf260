"""The picture of a study: the balanced EER of each cell, a dot for each seed, and the loss on the way there."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from study_cells import Choice, Row
from study_table import label_of

from facenet_lit.plots.style import FAINT, GENUINE, MARK

FIGURE = "test/eer_balanced"


def picture(title: str, cells: Sequence[tuple[Choice, Sequence[Row]]]) -> Figure:
    """Dots of the test people's balanced EER with their bounds, and beside them the loss on the way where it is kept.

    Args:
        title: stands above.
        cells: the choice of each, and its results; without any the line stays empty.
    """
    curves = [
        (label_of(choice), found[0]["curve"]) for choice, found in cells if found and found[0].get("curve")
    ]
    figure = Figure(
        figsize=(13 if curves else 8, 1.6 + 0.3 * max(len(cells), 4)), dpi=110, layout="constrained"
    )
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")
    panels = figure.subplots(1, 2 if curves else 1, squeeze=False)[0]
    _draw_dots(panels[0], cells)
    if curves:
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


def _draw_curves(axes: Axes, curves: Sequence[tuple[str, Mapping[str, Sequence[Any]]]]) -> None:
    colours = colormaps["turbo"]
    for number, (label, curve) in enumerate(curves):
        colour = colours(0.05 + 0.9 * number / max(len(curves) - 1, 1))
        values = [math.nan if value is None else value for value in curve["loss"]]
        axes.plot(curve["step"], values, color=colour, linewidth=1.1, label=label)
    axes.set_xlabel("step", fontsize=9)
    axes.set_ylabel("loss, all triplets of a batch", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
