"""Pairs of pictures beside each other, with the names of whom they show and their distance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox, TransformedBbox

from facenet_lit.plots.style import DOTS, SMALL, WIDTH, head
from facenet_lit.preprocessing import Picture

ACROSS = 2  # pairs in a row
LONGEST = 28  # characters of a name that have room under a picture


class PicturePair(NamedTuple):
    """Two pictures to be compared.

    Attributes:
        pictures: of (H, W, 3) uint8 RGB, all of one size.
        names: of the identities.
        distance: of their embeddings.
    """

    pictures: tuple[Picture, Picture]
    names: tuple[str, str]
    distance: float


def draw_pairs(pairs: Sequence[PicturePair], title: str, about: str) -> Figure:
    """Two pairs in a row, 460 pixels wide.

    Args:
        pairs: in the order in which they are to be read; none leaves a note.
        title: what they are.
        about: what they were chosen from.
    """
    rows = max(1, -(-len(pairs) // ACROSS))
    above, row = 0.62, 1.65  # inches
    figure = Figure(figsize=(WIDTH, above + rows * row if pairs else 1), dpi=DOTS, facecolor="white")
    FigureCanvasAgg(figure)
    head(figure, title, about)
    if not pairs:
        figure.text(0.02, 0.2, "none", fontsize=SMALL + 2, color="0.35")
    height = figure.get_figheight()
    for number, pair in enumerate(pairs):
        down, across = divmod(number, ACROSS)
        _draw_pair(figure, pair, (0.02 + 0.49 * across) * WIDTH, height - above - down * row)
    return figure


def _draw_pair(figure: Figure, pair: PicturePair, left: float, top: float) -> None:
    """Draws one, its upper left corner at a place in inches."""
    width, height, side = WIDTH, figure.get_figheight(), 1.07
    both = np.concatenate(pair.pictures, 1)
    axes = figure.add_axes((left / width, (top - side) / height, 2 * side / width, side / height))
    axes.imshow(both, aspect="auto", interpolation="nearest")
    axes.axvline(both.shape[1] / 2 - 0.5, color="white", linewidth=2)
    axes.set_axis_off()
    first, second = map(_short, pair.names)
    names = [first] if pair.names[0] == pair.names[1] else [first, second]
    lines = [f"distance {pair.distance:.3f}", *names]
    # Wide letters must not run into the next pair.
    room = TransformedBbox(Bbox([[left, 0], [left + 2 * side, height]]), figure.dpi_scale_trans)
    for number, line in enumerate(lines):
        at = (top - side - 0.04 - 0.145 * number) / height
        weight = "normal" if number else "bold"
        # A name may hold dollars, which are not to be read as a formula.
        text = figure.text(
            left / width, at, line, fontsize=SMALL, va="top", fontweight=weight, parse_math=False
        )
        text.set(clip_box=room, clip_on=True)


def _short(name: str) -> str:
    """A name as it has room, its middle left out."""
    name = "".join(letter if letter.isprintable() else "?" for letter in name)
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 9]}…{name[-8:]}"
