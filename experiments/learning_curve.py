"""Figures against seconds of training, scored after the run.

    python experiments/learning_curve.py RUN [PART [FIGURE GOAL]]

RUN is the folder of a run that kept snapshots (checkpoint.snapshot_seconds=10), PART test or val. Each snapshot is
scored on all pairs of it; RUN/learning_curve.json has the figures of all, and the first is told from which on FIGURE
(tar_at_far_0.354) is no worse than GOAL.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from omegaconf import DictConfig, OmegaConf

from facenet_lit import report, run_folder
from facenet_lit.building import build_data
from facenet_lit.checkpoint import read_card, read_checkpoint
from facenet_lit.errors import UserError, check_choice
from facenet_lit.evaluation import embed
from facenet_lit.metrics.figures import figures, higher_is_better
from facenet_lit.metrics.pair_scoring import score_all_pairs

SNAPSHOTS, CURVE = "checkpoints/snapshots", "learning_curve.json"
BATCH = 256

Point = dict[str, float | None]


def snapshots(run: Path) -> list[tuple[float, Path]]:
    """Seconds of training and file of each snapshot, the first one first.

    Raises:
        UserError: the run kept none.
    """
    found = sorted(
        (float(path.name.removesuffix("s.ckpt")), path) for path in (run / SNAPSHOTS).glob("*s.ckpt")
    )
    if not found:
        raise UserError(f"{run}: holds no snapshots; train with checkpoint.snapshot_seconds=10")
    return found


def scored(run: Path, part: str) -> Iterator[Point]:
    """Seconds, step and figures of each snapshot."""
    config = OmegaConf.load(run / run_folder.CONFIG)
    assert isinstance(config, DictConfig)
    files = snapshots(run)
    data = build_data(config.data)
    data.setup()
    numbers = data.parts[part]
    for seconds, path in files:
        checkpoint = read_checkpoint(path)
        card = read_card(checkpoint)
        rows = embed(str(path), card, data, numbers, BATCH, torch.device("cpu"))
        told = figures(score_all_pairs(*rows[:3]), config.metrics.threshold, list(config.metrics.fars))
        yield {"seconds": seconds, "step": checkpoint["global_step"], **told}


def reached(curve: Sequence[Point], figure: str, goal: float) -> Point | None:
    """The first point from which on, to the last, the figure is no worse than the goal; None where there is none."""
    first = None
    for point in curve:
        if figure not in point:
            raise UserError(f"{figure}: expected one of {', '.join(name for name in point)}")
        value = point[figure]
        met = value is not None and (value >= goal if higher_is_better(figure) else value <= goal)
        first = (first or point) if met else None
    return first


def main(run: Path, part: str = "test", figure: str = "tar_at_far_0.354", goal: str = "0.941") -> None:
    """Scores, writes and prints."""
    check_choice("PART", part, ("val", "test"))
    curve = []
    for point in scored(run, part):
        curve.append(point)
        print(f"{point['seconds']:7.1f} s  step {point['step']:5}  {figure} {point.get(figure)}", flush=True)
    about = run_folder.read_facts(run) if (run / run_folder.FACTS).is_file() else {}
    run_folder.write_atomically(
        run / CURVE, json.dumps({**about, "part": part, "curve": curve}, indent=1) + "\n"
    )
    shown = ("seconds", "step", figure, "tar_at_far_0.1", "eer", "eer_balanced")
    report.show(report.rows_table([{name: point.get(name) for name in shown} for point in curve], str(run)))
    point = reached(curve, figure, float(goal))
    end = "at no snapshot to the end" if point is None else f"from {point['seconds']:.0f} s of training on"
    print(f"{part}/{figure} is no worse than {goal} {end}")


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]), *sys.argv[2:])
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
