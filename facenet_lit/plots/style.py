"""The look of every picture: sizes, colours, and how a figure becomes pixels."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from facenet_lit.preprocessing import Picture

# Told apart by those who see few colours, and in grey (Okabe & Ito 2008).
GENUINE, IMPOSTOR, BALANCED, MARK, FAINT = "#0072B2", "#D55E00", "#56B4E9", "#222222", "#999999"

Corner = Literal["upper left", "upper right", "lower left", "lower right"]

DOTS, WIDTH = 100, 4.6  # an inch, inches: TensorBoard shows pictures at about three quarters of that
SMALL, PLAIN = 8.0, 9.0  # points


def new_axes(title: str, about: str = "") -> tuple[Figure, Axes]:
    """A figure of 460 x 370 pixels with one plot.

    Places are fixed: to let matplotlib find them takes as long as to draw.

    Args:
        title: what is drawn.
        about: what it is drawn from, smaller, below.
    """
    figure = Figure(figsize=(WIDTH, 3.7), dpi=DOTS, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.125, 0.13, 0.835, 0.725))
    head(figure, title, about)
    axes.tick_params(labelsize=SMALL)
    axes.grid(alpha=0.25, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def head(figure: Figure, title: str, about: str = "") -> None:
    """Writes a figure's title, and below it what it is drawn from."""
    height = figure.get_figheight()
    left = 0.125 if figure.axes else 0.02
    figure.text(left, 1 - 0.08 / height, title, fontsize=10.5, fontweight="bold", va="top")
    figure.text(left, 1 - 0.31 / height, about, fontsize=SMALL, color="0.35", va="top")


def name_axes(axes: Axes, across: str, up: str) -> None:
    """Writes what the axes of a plot are."""
    axes.set_xlabel(across, fontsize=PLAIN, labelpad=2)
    axes.set_ylabel(up, fontsize=PLAIN, labelpad=2)


def legend(axes: Axes, place: Corner) -> None:
    """Names the lines, over a white ground."""
    axes.legend(
        loc=place, fontsize=SMALL, framealpha=0.92, edgecolor="0.85", borderpad=0.5, labelspacing=0.35
    )


def pixels(figure: Figure) -> Picture:
    """(H, W, 3) uint8 RGB of a figure made here."""
    canvas = cast(FigureCanvasAgg, figure.canvas)
    canvas.draw()
    return np.array(np.asarray(canvas.buffer_rgba())[..., :3])
