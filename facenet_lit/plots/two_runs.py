"""The ROC curves of two runs, side by side: over pairs, and balanced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facenet_lit.metrics.bounds import with_bounds
from facenet_lit.metrics.figures import BALANCED
from facenet_lit.metrics.roc import roc
from facenet_lit.metrics.scored_pairs import ScoredPairs
from facenet_lit.plots.curves import ACROSS, STEPS, UP, counted, least_far
from facenet_lit.plots.style import GENUINE, IMPOSTOR, SMALL, legend, name_axes, new_panels

LOOKS = ((GENUINE, "-"), (IMPOSTOR, "--"))  # where both curves are the same, both are seen
LONGEST = 110  # characters of a name that have room
_POINTS = 1000


class Run(NamedTuple):
    """A run to be drawn.

    Attributes:
        name: what it is called.
        pairs: its pairs, which are of both kinds.
        figures: its rates by name, with their bounds.
    """

    name: str
    pairs: ScoredPairs
    figures: Mapping[str, float | None]


def draw_two_runs(runs: Sequence[Run]) -> Figure:
    """A panel over pairs and one balanced, with the curve of each of two runs and its equal errors."""
    figure, panels = new_panels("ROC of two runs", counted(runs[0].pairs, runs[0].figures), 2)
    for panel, (title, ending) in zip(panels, (("over pairs", ""), ("balanced", BALANCED)), strict=True):
        panel.set_title(title, fontsize=SMALL + 1, loc="left")
        _draw_curves(panel, runs, ending)
    names = [run.name if len(run.name) <= LONGEST else f"…{run.name[1 - LONGEST :]}" for run in runs]
    legend(figure, panels[0], names)
    return figure


def _draw_curves(panel: Axes, runs: Sequence[Run], ending: str) -> None:
    pairs = [run.pairs for run in runs]
    least = min(map(least_far, pairs))
    panel.set(xscale="log", xlim=(least, 1), ylim=(0, 1.02))
    for run, (colour, dashes) in zip(runs, LOOKS, strict=True):
        curve = roc(run.pairs, ending == BALANCED, _POINTS)
        if curve is not None:
            told = f"EER {with_bounds(run.figures, 'eer' + ending)}"
            panel.plot(curve.far, curve.tar, dashes, color=colour, lw=1.7, drawstyle=STEPS, label=told)
    name_axes(panel, ACROSS, UP)
    panel.legend(loc="lower right", fontsize=SMALL, framealpha=0.92, edgecolor="0.85")
