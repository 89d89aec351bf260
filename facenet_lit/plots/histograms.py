"""How far apart genuine and impostor pairs are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from facenet_lit.metrics.bounds import with_bounds
from facenet_lit.metrics.operating_points import eer
from facenet_lit.metrics.rates import far, tar
from facenet_lit.metrics.scored_pairs import ScoredPairs
from facenet_lit.metrics.weighed_distances import WeighedDistances
from facenet_lit.plots.curves import NONE, Figures, counted
from facenet_lit.plots.style import BALANCED, FAINT, GENUINE, IMPOSTOR, MARK, legend, name_axes, new_axes

BINS = np.linspace(0.0, 2.0, 81)  # distances of unit vectors


def draw_distances(
    pairs: ScoredPairs, threshold: float, title: str = "Distances", bounds: Figures = NONE
) -> Figure:
    """The share of genuine and of impostor pairs in each of 80 bins from 0 to 2, and the threshold.

    Args:
        pairs: distances of genuine and impostor pairs, some of both.
        threshold: the fixed one that TAR and FAR are told at.
        title: stands above.
        bounds: of the rates, by the names of their figures and ``_low`` and ``_high``, where they are known.
    """
    figure, axes = new_axes(title, counted(pairs, bounds))
    kinds = (("impostor", pairs.impostor_counts, IMPOSTOR), ("genuine", pairs.genuine_counts(False), GENUINE))
    for label, distances, colour in kinds:
        axes.stairs(100 * shares(distances), BINS, fill=True, color=colour, alpha=0.4, label=label)
        axes.stairs(100 * shares(distances), BINS, color=colour, linewidth=1.2)
    of_identities = shares(pairs.genuine_counts(True))
    axes.stairs(100 * of_identities, BINS, color=BALANCED, linewidth=1.4, label="genuine, balanced")
    equal = eer(pairs)
    rates = {
        **bounds,
        "tar": tar(pairs, threshold),
        "far": far(pairs, threshold),
        "eer": equal and equal.rate,
    }
    told = f"threshold {threshold:g}: TAR {with_bounds(rates, 'tar')}, FAR {with_bounds(rates, 'far', '.2g', '.2g')}"
    axes.axvline(threshold, color=MARK, linewidth=1.4, label=told)
    if equal is not None and equal.threshold <= 2:
        told = f"equal errors at {equal.threshold:.3f}: EER {with_bounds(rates, 'eer')}"
        axes.axvline(equal.threshold, color=FAINT, linewidth=1.4, linestyle="--", label=told)
    axes.set(xlim=(0, 2))
    axes.set_ylim(0, axes.dataLim.ymax * 1.05)
    name_axes(axes, "Euclidean distance of two embeddings", "pairs per bin of 0.025, %")
    legend(figure, axes)
    return figure


def shares(distances: WeighedDistances) -> npt.NDArray[np.float64]:
    """(80,) the share of the weight in each bin, its lower end included; the last takes 2 and what rounding adds."""
    # Counted at the edges, so that billions of distances need not be there one by one.
    below = distances.accepted(np.append(BINS[:-1], np.inf))
    return np.asarray(np.diff(below) / distances.total, np.float64)
