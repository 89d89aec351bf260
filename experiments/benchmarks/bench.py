"""What our way of doing things costs, beside the usual way and what the machine allows.

    python experiments/benchmarks/bench.py [ROW...]

Measures every row, or those whose module's name or own name holds one of the words; prints them as they come. All
of them together are written beside this file: table.md, measured.jsonl with the machine's facts, and times.png.
"""

from __future__ import annotations

import importlib
import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

sys.path.insert(
    0, str(Path(__file__).resolve().parents[1])
)  # the rows are modules of the folder benchmarks there

from benchmarks.harness import Measured, measure, one_thread

from facenet_lit.provenance import commit, machine

HERE = Path(__file__).resolve().parent
MODULES = ("loader", "triplets", "mining", "verification", "folds", "steps", "health", "bounds")
LABEL = 54  # letters of a line
HEAD = """| work | ours | peer | bound | ours / bound | peer / ours | memory, ours | memory, peer | peer is | bound is |
|---|---|---|---|---|---|---|---|---|---|
"""


def main(arguments: Sequence[str], modules: Sequence[str] = MODULES, folder: Path = HERE) -> None:
    """Measures rows; all of them are written down.

    Args:
        arguments: words that the rows' names hold; none for all rows.
        modules: where the rows are.
        folder: where to write.
    """
    one_thread()
    found = []
    print(HEAD, end="", flush=True)
    if arguments and set(arguments) <= set(modules):  # the others' inputs need not be made
        modules = [name for name in modules if name in arguments]
    for name in modules:
        module = f"benchmarks.{name}"
        for row in importlib.import_module(module).rows():
            if not arguments or any(word in name or word in row.work for word in arguments):
                found.append(measure(module, row))
                print(line(found[-1]), flush=True)
    if not arguments:
        write(found, {"commit": commit(), **machine()}, folder)


def write(found: Sequence[Measured], facts: Mapping[str, object], folder: Path) -> None:
    """Writes table, lines of JSON and picture."""
    told = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
    text = f"Median seconds and peak memory, one thread.\n\n{HEAD}" + "".join(
        line(each) + "\n" for each in found
    )
    _put(folder / "table.md", f"{text}\n{told}\n")
    lines = (json.dumps({**asdict(each), **facts}) for each in found)
    _put(folder / "measured.jsonl", "".join(each + "\n" for each in lines))
    partial = folder / "times.partial.png"
    draw(found).savefig(partial)
    partial.replace(folder / "times.png")


def _put(file: Path, text: str) -> None:
    partial = file.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)


def line(one: Measured) -> str:
    """A row of the table."""
    cells = [
        one.work,
        *(seconds(value) for value in (one.ours, one.peer, one.bound)),
        "" if one.bound is None else f"{one.ours / one.bound:.2f}",
        "" if one.peer is None else f"{one.peer / one.ours:.1f}",
        *("" if value is None else f"{value:,.0f} MiB" for value in (one.ours_memory, one.peer_memory)),
        one.peer_name,
        one.bound_name,
    ]
    return "| " + " | ".join(cells) + " |"


def seconds(value: float | None) -> str:
    """Three digits of a time."""
    if value is None:
        return ""
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if value * factor >= 1:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e6:.3g} us"


def draw(found: Sequence[Measured]) -> Figure:
    """A line for each row, from the bound to the peer, with ours between them; and the peer's time over ours."""
    figure = Figure(figsize=(10, 1.2 + 0.42 * len(found)), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    marks = (("bound", "|", "0.45", 11), ("ours", "o", "tab:blue", 7), ("peer", "s", "tab:orange", 6))
    for height, one in enumerate(reversed(found)):
        times = [value for value in (one.bound, one.ours, one.peer) if value is not None]
        axes.plot([min(times), max(times)], [height] * 2, color="0.85", linewidth=2, zorder=1)
        if one.peer is not None:
            ratio = f"{one.peer / one.ours:.{0 if one.peer >= 10 * one.ours else 1}f} x"
            place = {"xytext": (8, 0), "textcoords": "offset points", "va": "center", "fontsize": 8}
            axes.annotate(ratio, (max(times), height), color="0.35", **place)
    for side, marker, colour, size in marks:
        points = [
            (getattr(one, side), place) for place, one in enumerate(reversed(found)) if getattr(one, side)
        ]
        if points:
            axes.plot(
                *zip(*points, strict=True), marker, color=colour, markersize=size, label=side, linestyle=""
            )
    axes.set_xscale("log")
    axes.margins(x=0.1)  # room for the ratios
    axes.set_xlabel("seconds, one thread")
    labels = [textwrap.fill(one.work, LABEL) for one in reversed(found)]
    axes.set_yticks(range(len(found)), labels, fontsize=8)
    axes.set_ylim(-0.7, len(found) - 0.3)
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper right", ncols=3, frameon=False)
    return figure


if __name__ == "__main__":
    main(sys.argv[1:])
