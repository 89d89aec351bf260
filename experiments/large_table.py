"""What the draw of an epoch costs on a table of Glint360K's size, made up: no pictures are read.

    python experiments/large_table.py [IMAGES IDENTITIES]

17,091,657 images of 360,232 identities (An et al. 2021, Partial FC, table 1) unless others are said. For drawn triplets
and for P x K batches, each in a process of its own: seconds until the sampler is made, until the first batch's plan,
and the peak of the process's memory, imports included. Every process of a run draws like this; a pack's table, names
and fingerprints come on top.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Sequence

import numpy as np

from facenet_lit.batch import IntArray
from facenet_lit.data.datamodule import FaceDataModule  # what a run imports counts as well
from facenet_lit.data.plan_sampler import PlanSampler
from facenet_lit.data.samplers import IdentitySampler, TripletSampler

IMAGES, IDENTITIES = 17_091_657, 360_232
GIB = 2**30
LINE = (
    "{}: {:,} batches an epoch, the first has {:,} rows; made in {:.1f} s, drawn in {:.1f} s; peak {:.2f} GiB, "
    "without imports {:.0f} bytes an image"
)


def made_up_table(images: int, identities: int) -> IntArray:
    """(images,) identities in order, every one with an image or more, a few with very many."""
    shares = np.random.default_rng(0).lognormal(sigma=0.8, size=identities)
    counts = 1 + np.floor((images - identities) * shares / shares.sum()).astype(np.int64)
    counts[: images - counts.sum()] += 1
    return np.repeat(np.arange(identities), counts)


def measure(name: str, images: int, identities: int) -> tuple[str, int, int, float, float, float, float]:
    """Name, batches, rows of the first, seconds to make the sampler and until the first plan, peak memory in GiB.

    The last is what of the peak is no import, in bytes for each image.
    """
    imports = peak_memory()
    table = made_up_table(images, identities)
    numbers = np.arange(len(table))
    start = time.perf_counter()
    sampler: PlanSampler
    if name == "triplets":
        sampler = TripletSampler(table, numbers, 1026)
    else:
        sampler = IdentitySampler(table, numbers, 1024, 240, 4, 64)
    made = time.perf_counter()
    plan = next(iter(sampler))
    first = time.perf_counter()
    peak = peak_memory()
    held = (peak - imports) / images
    return name, len(sampler), len(plan.numbers), made - start, first - made, peak / GIB, held


def peak_memory() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(arguments: Sequence[str]) -> None:
    """Prints a line per sampler."""
    images, identities = map(int, arguments or (IMAGES, IDENTITIES))
    print(f"{images:,} images of {identities:,} identities; {FaceDataModule.__name__} imported")
    context = multiprocessing.get_context("spawn")
    for name in ("triplets", "pk"):
        with context.Pool(1) as pool:
            told = pool.apply(measure, (name, images, identities))
        print(LINE.format(*told))


if __name__ == "__main__":
    main(sys.argv[1:])
