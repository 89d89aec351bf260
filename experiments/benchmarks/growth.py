"""Time and memory against the number of things: draws, mining, verification, identities.

    python experiments/benchmarks/growth.py [SERIES...]

One thread, each point once in a process of its own, small first. Of all series together growth.jsonl, with the
machine's facts, and growth.png are written beside this file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

sys.path.insert(
    0, str(Path(__file__).resolve().parents[1])
)  # large_table is there, and the folder benchmarks

from benchmarks.harness import fresh_process, one_thread, seconds_and_memory
from large_table import made_up_table

from facenet_lit.batch import Rows
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.data.grouping import group_images
from facenet_lit.data.samplers import TripletSampler
from facenet_lit.data.triplets import draw_epoch
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.metrics.figures import figures
from facenet_lit.metrics.pair_scoring import score_all_pairs
from facenet_lit.mining import SemiHardMiner
from facenet_lit.provenance import commit, machine
from facenet_lit.sources.synthetic import SyntheticFaces

HERE = Path(__file__).resolve().parent
SIZE = 512  # numbers of an embedding
SERIES = {
    "draws": (10**4, 10**5, 10**6, 10**7),
    "mining": (256, 512, 1024, 2048, 4096, 8192),
    "closest": (256, 512, 1024, 2048, 4096, 8192),
    "verification": (10**3, 10**4, 10**5),
    "identities": (10**3, 10**4, 10**5, 10**6),
}


class Point(NamedTuple):
    """Seconds and MiB that one size of a series took."""

    series: str
    size: int
    seconds: float
    memory: float


def main(arguments: Sequence[str], series: Mapping[str, Sequence[int]] = SERIES, folder: Path = HERE) -> None:
    """Measures series, by name or all; all are written down.

    Args:
        arguments: names of series; none for all.
        series: sizes of each.
        folder: where to write.
    """
    found = []
    for name in arguments or series:
        for size in series[name]:
            found.append(in_own_process(name, size))
            print("{}, {:,}: {:.3g} s, {:,.0f} MiB".format(*found[-1]), flush=True)
    if not arguments:
        write(found, folder)


def in_own_process(name: str, size: int) -> Point:
    """One size of a series, in a fresh process."""
    with fresh_process() as processes:
        return processes.submit(measured, name, size).result()


def measured(name: str, size: int) -> Point:
    """One size of a series, here; the inputs don't count."""
    one_thread()
    return Point(name, size, *seconds_and_memory(WORKS[name](size)))


def draws(size: int) -> Callable[[], object]:
    """An epoch's draw of so many triplets."""
    identities = max(2, size // 47)  # as Glint360K has
    table = made_up_table(size + identities, identities)
    return lambda: draw_epoch(group_images(table), "positive", "identity", 0, 0)


def _batch(size: int) -> Rows:
    embeddings = torch.nn.functional.normalize(
        torch.randn(size, SIZE, generator=torch.Generator().manual_seed(0))
    )
    return Rows(embeddings.requires_grad_(), torch.arange(size) // 4, torch.arange(size))


def mining(size: int) -> Callable[[], object]:
    """Mean over all semi-hard triplets of so many rows, forward and backward."""
    batch, loss = _batch(size), SemiHardMeanLoss()

    def forward_and_backward() -> None:
        loss(batch, batch, torch.empty(0, 3, dtype=torch.long)).total.backward()

    return forward_and_backward


def closest(size: int) -> Callable[[], object]:
    """The closest semi-hard negative of every genuine pair of so many rows."""
    batch, miner = _batch(size), SemiHardMiner()
    return lambda: miner(batch, batch)


def verification(size: int) -> Callable[[], object]:
    """All figures over all pairs of so many images."""
    embeddings = _batch(size).embeddings.detach()
    identities = torch.arange(size) // 10
    return lambda: figures(
        score_all_pairs(embeddings, identities, torch.arange(size)), 1.1, (0.1, 0.01, 0.001)
    )


def identities(size: int) -> Callable[[], object]:
    """From a source of so many identities, two images each, to the plan of the first batch."""

    def until_the_first_batch() -> None:
        source = SyntheticFaces(size, 2)
        listed = FaceDataModule(source, partial(TripletSampler, seed=0)).listed
        train = listed.parts["train"]
        next(TripletSampler(np.asarray(source.identities)[train], train, 225).plans(0))

    return until_the_first_batch


WORKS: dict[str, Callable[[int], Callable[[], object]]] = {
    work.__name__: work for work in (draws, mining, closest, verification, identities)
}


def write(found: Sequence[Point], folder: Path) -> None:
    """Writes the points as lines of JSON, and their picture."""
    facts = {"commit": commit(), **machine(), "threads": 1}
    lines = folder / "growth.jsonl.partial"
    lines.write_text(
        "".join(json.dumps({**point._asdict(), **facts}) + "\n" for point in found), encoding="utf-8"
    )
    lines.replace(folder / "growth.jsonl")
    picture = folder / "growth.partial.png"
    draw(found).savefig(picture)
    picture.replace(folder / "growth.png")


def draw(found: Sequence[Point]) -> Figure:
    """Seconds, and memory, against size; a line for each series."""
    figure = Figure(figsize=(10, 4.2), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    columns = ("seconds", "seconds, one thread", 1e-4), ("memory", "peak memory, MiB", 1.0)
    for axes, (what, label, least) in zip(figure.subplots(1, 2), columns, strict=True):
        for name in dict.fromkeys(point.series for point in found):
            line = [(point.size, max(getattr(point, what), least)) for point in found if point.series == name]
            axes.plot(
                *zip(*line, strict=True), marker="o", markersize=4, linewidth=1.4, label=_describe(name)
            )
        axes.set(xscale="log", yscale="log", xlabel="number", ylabel=label)
        axes.grid(color="0.9")
        axes.set_axisbelow(True)
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=8
    )
    return figure


def _describe(name: str) -> str:
    return {
        "draws": "triplets drawn",
        "mining": "rows: mean over semi-hard triplets",
        "closest": "rows: closest semi-hard negatives",
        "verification": "images: all figures over all pairs",
        "identities": "identities: from listing to first batch",
    }[name]


if __name__ == "__main__":
    main(sys.argv[1:])
