"""The ROC and DET curves of scored pairs, with the equal error rate and the FARs that TAR is told at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facenet_lit.metrics import figures
from facenet_lit.metrics.bounds import ENDS, with_bounds
from facenet_lit.metrics.figures import far_name, tar_at_far_name
from facenet_lit.metrics.operating_points import eer
from facenet_lit.metrics.rates import far, tar, tar_at_far
from facenet_lit.metrics.roc import roc
from facenet_lit.metrics.scored_pairs import ScoredPairs
from facenet_lit.plots.style import BALANCED, FAINT, GENUINE, MARK, legend, name_axes, new_axes

Values = npt.NDArray[np.float64]
Place = Callable[[Values, Values], tuple[Values, Values]]  # of FAR and TAR: where they stand
Figures = Mapping[str, float | None]
NONE: Figures = {}
ENDINGS = {False: "", True: figures.BALANCED}
ACROSS, UP = "FAR: share of impostor pairs accepted", "TAR: share of genuine pairs accepted"

STEPS = "steps-post"

# What is told, whether balanced, and how it is drawn: where both are the same, both are seen.
KINDS = (("over pairs", False, GENUINE, "-"), ("balanced", True, BALANCED, "--"))

# What the axes of a DET curve are labelled at, none so close to another that they touch.
SHARES = np.array([1e-5, 1e-3, 0.01, 0.05, 0.2, 0.5, 0.8])
WIDEST = 0.95


def draw_roc(
    pairs: ScoredPairs,
    points: int = 400,
    fars: Sequence[float] = (),
    title: str = "ROC curve",
    bounds: Figures = NONE,
) -> Figure:
    """TAR over FAR on a logarithmic axis, over pairs and balanced.

    Args:
        pairs: distances of genuine and impostor pairs, some of both.
        points: most points of a curve, 3 or more.
        fars: FARs whose TAR is marked, where it is resolvable; that at the first is told.
        title: stands above.
        bounds: of the rates, by the names of their figures and ``_low`` and ``_high``, where they are known.
    """
    figure, axes = new_axes(title, counted(pairs, bounds))
    least = least_far(pairs)
    diagonal = np.geomspace(least, 1, 100)
    axes.set(xscale="log", xlim=(least, 1), ylim=(0, 1.02))
    first = next((f for f in fars if tar_at_far(pairs, f) is not None), None)
    _draw_kinds(axes, pairs, points, fars, lambda accepted, right: (accepted, right), bounds, first)
    axes.plot(diagonal, diagonal, color=FAINT, linewidth=1, linestyle=":", label="by chance")
    name_axes(axes, ACROSS, UP)
    legend(figure, axes)
    return figure


def draw_det(
    pairs: ScoredPairs,
    points: int = 400,
    fars: Sequence[float] = (),
    title: str = "DET curve",
    bounds: Figures = NONE,
) -> Figure:
    """FRR over FAR, both on a normal deviate scale and in percent (Martin et al., Eurospeech 1997).

    Args:
        pairs: distances of genuine and impostor pairs, some of both.
        points: most points of a curve, 3 or more.
        fars: FARs whose FRR is marked, where it is resolvable.
        title: stands above.
        bounds: of the rates, by the names of their figures and ``_low`` and ``_high``, where they are known.
    """
    figure, axes = new_axes(title, counted(pairs, bounds))
    across, up = least_far(pairs), max(min(0.5 / len(pairs.genuine), 0.01), 1e-6)
    axes.set(xlim=deviate([across, WIDEST]), ylim=deviate([up, WIDEST]))
    _draw_kinds(
        axes, pairs, points, fars, lambda accepted, right: (deviate(accepted), deviate(1 - right)), bounds
    )
    equal = deviate([max(across, up), WIDEST])
    axes.plot(equal, equal, color=FAINT, linewidth=1, linestyle=":", label="FAR = FRR")
    for axis, least in ((axes.xaxis, across), (axes.yaxis, up)):
        shown = SHARES[(least <= SHARES) & (SHARES <= WIDEST)]
        axis.set_ticks(deviate(shown), [f"{100 * share:.4g}%" for share in shown])
    name_axes(axes, "FAR: impostor pairs accepted", "FRR: genuine pairs rejected")
    legend(figure, axes)
    return figure


def deviate(shares: npt.ArrayLike) -> Values:
    """The normal deviate of shares, those of 0 and 1 far out but finite."""
    clipped = np.clip(np.asarray(shares, np.float64), 1e-12, 1 - 1e-12)
    return np.asarray(torch.special.ndtri(torch.from_numpy(clipped)).numpy())


def counted(pairs: ScoredPairs, bounds: Figures = NONE) -> str:
    """How many pairs there are, in words, and what brackets hold, where there are bounds."""
    words = f"{len(pairs.genuine):,} genuine, {len(pairs.impostor):,} impostor pairs"
    return f"{words}; [95% bounds]" if bounds else words


def least_far(pairs: ScoredPairs) -> float:
    """Below one impostor pair there is nothing to see; nor above a tenth, where that is all there is."""
    return min(max(1.0 / len(pairs.impostor), 1e-6), 0.1)


def _draw_kinds(
    axes: Axes,
    pairs: ScoredPairs,
    points: int,
    fars: Sequence[float],
    place: Place,
    bounds: Figures,
    told_at: float | None = None,
) -> None:
    """The curves, on them circles at the equal error rate and diamonds at the FARs, over their bounds.

    The legend tells the TAR at ``told_at``, else the EER.
    """
    resolvable = [f for f in fars if tar_at_far(pairs, f) is not None]
    for label, balanced, colour, dashes in KINDS:
        curve, equal = roc(pairs, balanced, points), eer(pairs, balanced)
        if curve is None or equal is None:
            continue
        told = f"{label}: {_told(pairs, balanced, bounds, told_at)}"
        # In steps, as TAR at a FAR is told: a line to the next point passes through rates that no threshold has, and
        # of embeddings in one point, whose only points are the corners, it showed a TAR of 1 at every FAR.
        axes.plot(*place(curve.far, curve.tar), dashes, color=colour, lw=1.7, drawstyle=STEPS, label=told)
        _draw_bounds(axes, place, resolvable, balanced, bounds)
        at_equal = far(pairs, equal.threshold), tar(pairs, equal.threshold, balanced)
        _mark(axes, place, colour, "o", [at_equal])
        _mark(axes, place, colour, "D", [(f, tar_at_far(pairs, f, balanced)) for f in resolvable])
    _mark(axes, place, FAINT, "o", [], "equal errors")
    if resolvable:
        _mark(axes, place, FAINT, "D", [], f"at FAR {', '.join(map(far_name, resolvable))}")


def _told(pairs: ScoredPairs, balanced: bool, bounds: Figures, at: float | None) -> str:
    """TAR at a FAR, or the EER for None, in words, with its bounds."""
    ending = ENDINGS[balanced]
    if at is None:
        equal = eer(pairs, balanced)
        return f"EER {with_bounds({**bounds, 'eer' + ending: equal and equal.rate}, 'eer' + ending)}"
    name = tar_at_far_name(at) + ending
    return f"TAR {with_bounds({**bounds, name: tar_at_far(pairs, at, balanced)}, name)} at FAR {far_name(at)}"


def _draw_bounds(axes: Axes, place: Place, fars: Sequence[float], balanced: bool, bounds: Figures) -> None:
    """A bar at each FAR from the lower bound of the TAR to the upper; those over pairs are broad and pale."""
    colour, width, alpha = (BALANCED, 1.2, 1.0) if balanced else (GENUINE, 5.0, 0.22)
    for f in fars:
        name = tar_at_far_name(f) + ENDINGS[balanced]
        ends = np.array([bounds.get(name + end, np.nan) for end in ENDS], np.float64)
        axes.plot(
            *place(np.full(2, f), ends), color=colour, linewidth=width, alpha=alpha, solid_capstyle="butt"
        )


def _mark(
    axes: Axes,
    place: Place,
    colour: str,
    symbol: str,
    rates: Sequence[tuple[float | None, float | None]],
    label: str | None = None,
) -> None:
    """Marks points of a curve, FAR and TAR each; those beyond the axes are left out, where half of one would show."""
    across, up = place(*np.array(rates, np.float64).reshape(-1, 2).T)
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    inside = (left <= across) & (across <= right) & (low <= up) & (up <= high)
    edge, size = ("white", 8) if symbol == "o" else (MARK, 5)
    axes.plot(
        across[inside],
        up[inside],
        symbol,
        color=colour,
        markeredgecolor=edge,
        markersize=size,
        label=label,
        zorder=3,
    )
