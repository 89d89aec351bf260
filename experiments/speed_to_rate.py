"""Seconds of training until a rate is reached, ours beside the usual way, as a table and a picture.

    python experiments/speed_to_rate.py SHORT... -- LONG... -- USUAL...

Each is a JSON file, one for each seed: of learning_curve.py those of the studies ninety_seconds and speed_to_rate, and
of plain_loop.py. What they say is kept in experiments/speed_to_rate/curves.json, from which the table and the picture
are made; without files they are made anew.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from learning_curve import reached
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from facenet_lit.errors import UserError
from facenet_lit.plots.style import FAINT, GENUINE, IMPOSTOR, MARK
from facenet_lit.run_folder import write_atomically

HERE = Path(__file__).resolve().parent / "speed_to_rate"
NAMES = {
    "short": "facenet_lit, study ninety_seconds",
    "long": "facenet_lit, study speed_to_rate",
    "usual": "facenet-pytorch's network, pytorch-metric-learning, plain loop",
}
COLOURS = {"short": MARK, "long": GENUINE, "usual": IMPOSTOR}
FIGURE, GOAL = "tar_at_far_0.354", 0.941
SECONDS = (5, 10, 20, 50, 100, 200, 500)
PANELS = {FIGURE: "TAR at FAR 0.354, test people", "eer_balanced": "balanced EER, test people"}

Run = Mapping[str, Any]  # what made it, and its curve
Curves = Mapping[str, Sequence[Run]]


def table(curves: Curves) -> str:
    """A line for each way: seconds until the rate stays reached, and where its last weights stand."""
    lines = [
        f"| way | seeds | seconds to {FIGURE} of {GOAL} | steps | seconds in all | {FIGURE} | eer_balanced |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for way, runs in curves.items():
        if not runs:
            lines.append(f"| {NAMES[way]} | 0 | not run | | | | |")
            continue
        points = [reached(run["curve"], FIGURE, GOAL) for run in runs]
        first = [f"{point['seconds']:.0f}" if point else "not reached" for point in points]
        ends = [run["curve"][-1] for run in runs]
        figures = [f"{statistics.fmean(end[name] for end in ends):.4f}" for name in PANELS]
        spent = [", ".join(f"{end[name]:.0f}" for end in ends) for name in ("step", "seconds")]
        lines.append(
            f"| {NAMES[way]} | {len(runs)} | {', '.join(first)} | {' | '.join([*spent, *figures])} |"
        )
    return "\n".join(lines)


def picture(curves: Curves) -> Figure:
    """The rate and the balanced EER against seconds of training, a line for each seed."""
    figure = Figure(figsize=(11, 4.5), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (name, heading) in zip(figure.subplots(1, 2), PANELS.items(), strict=True):
        for way, runs in curves.items():
            for number, run in enumerate(runs):
                curve = run["curve"]
                seconds, values = [point["seconds"] for point in curve], [point[name] for point in curve]
                axes.plot(
                    seconds,
                    values,
                    color=COLOURS[way],
                    lw=1.4,
                    alpha=0.8,
                    label=NAMES[way] if not number else None,
                )
        if name == FIGURE:
            axes.axhline(GOAL, color=FAINT, linestyle=":", linewidth=1)
        axes.set_title(heading, fontsize=10, loc="left")
        axes.set_xscale("log")  # a minute and a half beside ten
        axes.set_xticks(SECONDS, [str(seconds) for seconds in SECONDS])
        axes.xaxis.minorticks_off()
        axes.set_xlabel("seconds of training", fontsize=9)
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=8, frameon=False, loc="outside lower center", ncols=len(labels))
    return figure


def read(path: Path) -> Any:
    """What a file says."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; of a way that is not run leave it out")
    return json.loads(path.read_text(encoding="utf-8"))


def main(arguments: Sequence[str]) -> None:
    """Keeps what the files say, and writes the table and the picture."""
    kept = HERE / "curves.json"
    if arguments:
        ends = [place for place, argument in enumerate(arguments) if argument == "--"]
        if len(ends) != len(NAMES) - 1:
            sys.exit(__doc__)
        starts = [0, *(end + 1 for end in ends)]
        curves = {
            way: [read(Path(file)) for file in arguments[start:end]]
            for way, start, end in zip(NAMES, starts, [*ends, len(arguments)], strict=True)
        }
        write_atomically(kept, json.dumps(curves) + "\n")
    elif not kept.is_file():
        print("speed_to_rate: not run")
        return
    curves = read(kept)
    write_atomically(HERE / "curves.md", table(curves) + "\n")
    partial = HERE / ".curves.png"
    picture(curves).savefig(partial)
    partial.replace(HERE / "curves.png")
    print(table(curves))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
