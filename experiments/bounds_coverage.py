"""How often the 95% bounds of each rate hold the true one, on made-up people of whom it is known.

    python experiments/bounds_coverage.py [SETTING...]       # equal, lfw; runs on where it was stopped
    python experiments/bounds_coverage.py table              # prints the table alone
    python experiments/bounds_coverage.py seconds            # what 1,000 replicates of 1,711 people cost, on one thread

Embeddings are drawn, not learnt: an identity is a direction in 16 dimensions and a spread of its own (log-normal), an
image the direction plus that spread times noise, at length 1. Identities of a data set are drawn anew from this
population, so that what holds of a share of its data sets is what bounds promise of a share of samples of people. As
an identity's images don't depend on how many there are, the true rates over pairs and the balanced ones are the same.
They are taken of 4 million genuine pairs and 40 million impostor pairs, which leaves a standard error below 0.0003.

Of each setting 2,000 data sets with 500 replicates each, half of what runs take. Results are
bounds_coverage/SETTING.json, written by the program alone after every fifty data sets; the table is
bounds_coverage/table.md. A share of 2,000 has a standard error of 0.005 at 0.95.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from facenet_lit.batch import Rows
from facenet_lit.metrics.bootstrap_intervals import Resampled, bounds_of
from facenet_lit.metrics.bootstrap_table import PairTable
from facenet_lit.metrics.figures import figures, tar_at_far_name
from facenet_lit.metrics.pair_scoring import score_all_pairs, score_listed_pairs
from facenet_lit.metrics.rates import accuracy
from facenet_lit.metrics.resampling import ACCURACY, resample, resample_accuracy
from facenet_lit.run_folder import write_atomically

HERE = Path(__file__).resolve().parent / "bounds_coverage"
SETS, REPLICATES, KEPT = 2_000, 500, 50
SIZE, SPREAD, VARIES = (
    16,
    0.8,
    0.3,
)  # dimensions, and spread of an identity's images: median, and its own deviation
THRESHOLD, FARS = 1.0, (0.1, 0.01)
PAIRS_EACH = 300  # listed pairs of either kind, of which accuracy is
EXPECTED = (0.93, 0.97)
SEED = 0

Sizes = Callable[[np.random.Generator, int], np.ndarray]


class Setting(NamedTuple):
    """Kinds of data sets: how many identities, how many images each has, and what is said of it."""

    identities: int
    sizes: Sizes
    about: str


def equal_sizes(generator: np.random.Generator, identities: int) -> np.ndarray:
    """(I,) four images each."""
    return np.full(identities, 4)


def lfw_sizes(generator: np.random.Generator, identities: int) -> np.ndarray:
    """(I,) like LFW's, where 4,069 of 5,749 identities have one image, 779 two, one 530: a power law from two on."""
    several = np.floor(2 * generator.random(identities) ** (-1 / 1.4)).clip(max=530).astype(int)
    return np.where(generator.random(identities) < 4_069 / 5_749, 1, several)


SETTINGS = {
    "equal": Setting(100, equal_sizes, "100 identities of 4 images"),
    "lfw": Setting(300, lfw_sizes, "300 identities of LFW-like sizes"),
}


def people(generator: np.random.Generator, identities: int) -> tuple[np.ndarray, np.ndarray]:
    """(I, D) directions and (I,) spreads."""
    directions = generator.normal(size=(identities, SIZE))
    spreads = SPREAD * np.exp(VARIES * generator.normal(size=identities))
    return directions / np.linalg.norm(directions, axis=1, keepdims=True), spreads


def pictures(generator: np.random.Generator, directions: np.ndarray, spreads: np.ndarray) -> np.ndarray:
    """(N, D) an embedding of each of N people."""
    noise = generator.normal(size=directions.shape) / np.sqrt(SIZE)
    vectors = directions + spreads[:, None] * noise
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@cache
def true_rates(rounds: int = 10, size: int = 400_000) -> dict[str, float]:
    """The population's rates, by the names of their figures over pairs, and ``threshold`` of the best accuracy."""
    generator = np.random.default_rng([SEED, 1])
    genuine, impostor = [], []
    for _ in range(rounds):
        who = people(generator, size)
        first, second = pictures(generator, *who), pictures(generator, *who)
        genuine.append(np.linalg.norm(first - second, axis=1))
        for shift in range(1, 11):  # of another identity each
            impostor.append(np.linalg.norm(first - np.roll(second, shift, axis=0), axis=1).astype(np.float32))
    near, far = np.sort(np.concatenate(genuine)), np.sort(np.concatenate(impostor))

    def tar(threshold: float) -> float:
        return float(np.searchsorted(near, threshold) / len(near))

    def wrong(threshold: float) -> float:
        return float(np.searchsorted(far, threshold) / len(far))

    grid = np.linspace(0, 2, 20_001)
    accepted, mistaken = np.searchsorted(near, grid) / len(near), np.searchsorted(far, grid) / len(far)
    meeting = np.argmin(np.abs(mistaken - (1 - accepted)))
    best = float(grid[np.argmax(accepted - mistaken)])
    rates = {"tar": tar(THRESHOLD), "far": wrong(THRESHOLD), "threshold": best}
    rates |= {tar_at_far_name(f): tar(float(far[int(f * len(far))])) for f in FARS}
    rates["eer"] = float((mistaken[meeting] + 1 - accepted[meeting]) / 2)
    return rates | {ACCURACY: (tar(best) + 1 - wrong(best)) / 2}


class DataSet(NamedTuple):
    """A sample of people, all its pairs, and a list of some."""

    rows: Rows
    listed: np.ndarray


def drawn_set(setting: Setting, number: int) -> DataSet:
    """A data set of a setting, by its number."""
    generator = np.random.default_rng([SEED, 2, number])
    directions, spreads = people(generator, setting.identities)
    identities = np.repeat(np.arange(setting.identities), setting.sizes(generator, setting.identities))
    vectors = pictures(generator, directions[identities], spreads[identities])
    rows = Rows(
        torch.from_numpy(vectors.astype(np.float32)),
        torch.from_numpy(identities),
        torch.arange(len(identities)),
    )
    return DataSet(rows, listed_pairs(generator, identities))


def listed_pairs(generator: np.random.Generator, identities: np.ndarray) -> np.ndarray:
    """(P, 2) as many pairs of either kind, each kind's identities drawn alike, as LFW's lists are made."""
    starts, counts = np.unique(identities, return_index=True, return_counts=True)[1:]
    several = np.flatnonzero(counts > 1)
    of = generator.choice(several, PAIRS_EACH)
    first = generator.integers(counts[of])
    second = (first + 1 + generator.integers(counts[of] - 1)) % counts[of]
    genuine = np.stack([starts[of] + first, starts[of] + second], axis=1)
    one = generator.integers(len(counts), size=PAIRS_EACH)
    other = (one + 1 + generator.integers(len(counts) - 1, size=PAIRS_EACH)) % len(counts)
    sides = [starts[who] + generator.integers(counts[who]) for who in (one, other)]
    return np.concatenate([genuine, np.stack(sides, axis=1)])


TALLIES = ("sets", "below", "above", "width", "plain", "fallback")


def judge(setting: Setting, number: int) -> dict[str, list[float]]:
    """The tallies of a data set, by the names of the figures that have bounds.

    These are: 1; whether the truth is below the bounds, and whether above; their width; whether plain percentiles of
    the replicates, whatever the people are, hold it; whether the bounds are the fallback's.
    """
    truth, (rows, listed) = true_rates(), drawn_set(setting, number)
    told = figures(score_all_pairs(*rows[:3]), THRESHOLD, FARS)
    resampled = resample(PairTable.of_all(rows), REPLICATES, THRESHOLD, FARS)
    told[ACCURACY] = accuracy(score_listed_pairs(*rows[:3], listed), truth["threshold"])
    resampled[ACCURACY] = resample_accuracy(PairTable.of_list(rows, listed), REPLICATES, truth["threshold"])
    return {
        name: _tallies(truth[name.removesuffix("_balanced")], rate, values)
        for name, values in resampled.items()
        if (rate := told[name]) is not None
    }


def _tallies(truth: float, rate: float, resampled: Resampled) -> list[float]:
    low, high, counted = bounds_of(rate, resampled)
    plain_low, plain_high = np.nanquantile(resampled.drawn, [0.025, 0.975])
    held = plain_low <= truth <= plain_high
    return [1, float(truth < low), float(truth > high), high - low, float(held), float(counted)]


def run(name: str, sets: int = SETS, place: Path = HERE) -> None:
    """Judges the data sets of a setting that are not judged yet."""
    path = place / f"{name}.json"
    kept: dict[str, Any] = {"truth": true_rates(), "judged": 0, "tallies": {}}
    if path.is_file():
        kept = json.loads(path.read_text(encoding="utf-8"))
    while kept["judged"] < sets:
        number = kept["judged"]
        for figure, values in judge(SETTINGS[name], number).items():
            before = kept["tallies"].get(figure, [0] * len(TALLIES))
            kept["tallies"][figure] = [one + other for one, other in zip(before, values, strict=True)]
        kept["judged"] = number + 1
        if kept["judged"] % KEPT == 0 or kept["judged"] == sets:
            write_atomically(path, json.dumps(kept, indent=1) + "\n")
            print(f"{name}: {kept['judged']} of {sets} data sets", flush=True)


def table(place: Path = HERE) -> str:
    """Coverage of each figure of each setting in Markdown."""
    heads = ["figure", "true rate", "mean width", "coverage", "truth below, above", "by fallback"]
    lines = []
    for name, setting in SETTINGS.items():
        path = place / f"{name}.json"
        if path.is_file():
            kept = json.loads(path.read_text(encoding="utf-8"))
            lines += [f"{kept['judged']:,} data sets of {setting.about}:", ""]
            cells = [[*heads, "coverage of plain percentiles"], ["---"] * (len(heads) + 1), *_cells(kept)]
            lines += [*(f"| {' | '.join(line)} |" for line in cells), ""]
    return "\n".join(lines).rstrip()


def _cells(kept: Mapping[str, Any]) -> Iterator[list[str]]:
    """A line for each figure; what lies out of the range that is looked for is marked."""
    for figure, tallies in kept["tallies"].items():
        truth, sets = kept["truth"][figure.removesuffix("_balanced")], tallies[0]
        under, over, width, plain, fallback = (value / sets for value in tallies[1:])
        shares = [_marked(1 - under - over), f"{under:.3f}, {over:.3f}", f"{fallback:.0%}", _marked(plain)]
        yield [figure, f"{truth:.4f}", f"{width:.3f}", *shares]


def _marked(share: float) -> str:
    least, most = EXPECTED
    return f"{share:.3f}" + (" under" if share < least else " over" if share > most else "")


def tested_sizes(generator: np.random.Generator, identities: int) -> np.ndarray:
    """(I,) like those of LFW's view 1 test people: the largest 236 and 144, and 3,708 images of 1,711 identities."""
    sizes = lfw_sizes(generator, identities).clip(max=60)
    sizes[:2] = 236, 144
    images = identities * 3_708 // 1_711
    while sizes.sum() != images:
        places = generator.permutation(np.arange(2, identities))[: abs(sizes.sum() - images)]
        sizes[places] = np.maximum(sizes[places] + np.sign(images - sizes.sum()), 1)
    return sizes


def seconds(identities: int = 1_711, replicates: int = 1_000) -> str:
    """What bounds of as many people as LFW's view 1 tests on cost, beyond the figures themselves."""
    rows, _ = drawn_set(Setting(identities, tested_sizes, ""), 0)
    start, busy = time.perf_counter(), time.process_time()
    pairs = PairTable.of_all(rows)
    ordered = time.process_time() - busy
    resample(pairs, replicates, THRESHOLD, (0.1, 0.01, 0.001))
    spent, passed = time.process_time() - busy, time.perf_counter() - start
    sizes = f"{identities:,} identities, {len(rows.numbers):,} images, {len(pairs):,} impostor pairs"
    return (
        f"{sizes}, {replicates:,} replicates: {spent:.2f} s of processor time, "
        f"{ordered:.2f} s of it for distances and their order; {passed:.2f} s by the clock"
    )


def main(arguments: Sequence[str]) -> None:
    """The command line."""
    os.nice(19)
    torch.set_num_threads(1)
    if arguments == ["seconds"]:
        return print(seconds())
    wrong = set(arguments) - {*SETTINGS, "table"}
    if wrong:
        sys.exit(__doc__)
    for name in arguments or SETTINGS:
        if name != "table":
            run(name)
    text = table()
    write_atomically(HERE / "table.md", text + "\n")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
