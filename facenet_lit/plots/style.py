"""The look of every picture: sizes, colours, and how a figure becomes pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from facenet_lit.preprocessing import Picture

# Told apart by those who see few colours, and in grey (Okabe & Ito 2008).
GENUINE, IMPOSTOR, BALANCED, MARK, FAINT = "#0072B2", "#D55E00", "#56B4E9", "#222222", "#999999"

DOTS, WIDTH = 100, 4.6  # an inch, inches: TensorBoard shows pictures at about three quarters of that
SMALL, PLAIN = 8.0, 9.0  # points


def new_axes(title: str, about: str = "") -> tuple[Figure, Axes]:
    """A figure of 460 x 440 pixels with one plot, and room below for five lines of a legend.

    Places are fixed: to let matplotlib find them takes as long as to draw.

    Args:
        title: what is drawn.
        about: what it is drawn from, smaller, below.
    """
    figure = _new_figure(1, 4.4)
    axes = _add_axes(figure, 0.125, 0.835, 0.295, 0.58)
    head(figure, title, about)
    return figure, axes


def new_panels(title: str, about: str, count: int) -> tuple[Figure, list[Axes]]:
    """A figure with plots beside each other, 460 x 420 pixels each, and room below for two lines.

    Args:
        title: what is drawn.
        about: what it is drawn from, smaller, below.
        count: how many plots.
    """
    figure = _new_figure(count, 4.2)
    panels = [_add_axes(figure, (at + 0.125) / count, 0.835 / count, 0.205, 0.605) for at in range(count)]
    head(figure, title, about)
    return figure, panels


def _new_figure(across: int, height: float) -> Figure:
    figure = Figure(figsize=(across * WIDTH, height), dpi=DOTS, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _add_axes(figure: Figure, left: float, width: float, bottom: float, height: float) -> Axes:
    axes = figure.add_axes((left, bottom, width, height))
    axes.tick_params(labelsize=SMALL)
    axes.grid(alpha=0.25, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def head(figure: Figure, title: str, about: str = "") -> None:
    """Writes a figure's title, and below it what it is drawn from."""
    height = figure.get_figheight()
    left = figure.axes[0].get_position().x0 if figure.axes else 0.02
    figure.text(left, 1 - 0.08 / height, title, fontsize=10.5, fontweight="bold", va="top")
    figure.text(left, 1 - 0.31 / height, about, fontsize=SMALL, color="0.35", va="top")


def name_axes(axes: Axes, across: str, up: str) -> None:
    """Writes what the axes of a plot are."""
    axes.set_xlabel(across, fontsize=PLAIN, labelpad=2)
    axes.set_ylabel(up, fontsize=PLAIN, labelpad=2)


def legend(figure: Figure, axes: Axes, names: Sequence[str] | None = None) -> None:
    """Names the lines of a plot, or calls them by other names, below all plots: none is written over."""
    handles, told = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        told if names is None else names,
        loc="lower left",
        bbox_to_anchor=(figure.axes[0].get_position().x0, 0),
        fontsize=SMALL,
        frameon=False,
        borderaxespad=0.3,
        borderpad=0,
        labelspacing=0.3,
        handlelength=1.7,
        handletextpad=0.6,
    )


def pixels(figure: Figure) -> Picture:
    """(H, W, 3) uint8 RGB of a figure made here."""
    canvas = cast(FigureCanvasAgg, figure.canvas)
    canvas.draw()
    return np.array(np.asarray(canvas.buffer_rgba())[..., :3])
