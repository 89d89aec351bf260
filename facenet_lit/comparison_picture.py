"""The ROC curves of two runs, side by side: over pairs, and balanced."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from facenet_lit.metrics.roc import roc
from facenet_lit.metrics.scored_pairs import ScoredPairs

_POINTS = 1000


def draw_comparison(runs: Sequence[tuple[str, ScoredPairs]]) -> Figure:
    """A panel over pairs and one balanced, with the curve of each run.

    Args:
        runs: what each is called, and its pairs, which are of both kinds.
    """
    figure = Figure(figsize=(10, 4.5), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2, sharey=True)
    least = max(1.0 / max(len(pairs.impostor) for _, pairs in runs), 1e-6)
    for panel, (title, balanced) in zip(panels, (("over pairs", False), ("balanced", True)), strict=True):
        for name, pairs in runs:
            curve = roc(pairs, balanced, _POINTS)
            if curve is not None:
                panel.plot(curve.far, curve.tar, label=name, linewidth=1.6)
        panel.set(xscale="log", xlim=(least, 1), ylim=(0, 1.01), xlabel="FAR", title=title)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("TAR")
    panels[0].legend(loc="upper left", fontsize=8)  # where a useful network has no curve
    return figure


def save(figure: Figure, path: Path) -> None:
    """Writes a picture by rename: it is there whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    figure.savefig(partial, format=path.suffix[1:])
    os.replace(partial, path)
