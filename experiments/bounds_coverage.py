"""How often the 95% bounds of each rate hold the true one, and those of a difference 0, on made-up people.

    python experiments/bounds_coverage.py [SETTING...]       # of those in SETTINGS; runs on where it was stopped
    python experiments/bounds_coverage.py table              # prints the table alone
    python experiments/bounds_coverage.py seconds            # what 1,000 replicates of 1,711 people cost, on one thread

The people are those of made_up_people.py. Of each setting 2,000 data sets (500 of those where two runs that are equal
in truth are compared) with 500 replicates each, half of what runs take. What the bootstrap's bounds hold is counted
apart from what the fallback's do, which are so wide that they hide how seldom the others hold. Results are
bounds_coverage/SETTING.json, written by the program alone after every fifty data sets; the table is
bounds_coverage/table.md. A share of 2,000 has a standard error of 0.005 at 0.95, one of 500 has 0.010.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from bounds_coverage_table import TALLIES, table
from made_up_people import (
    FARS,
    THRESHOLD,
    Setting,
    drawn_set,
    equal_sizes,
    lfw_sizes,
    tested_sizes,
    true_rates,
    two_runs,
)

from facenet_lit.comparison import differences, score_run
from facenet_lit.metrics.bootstrap_intervals import Bounds, Floats, bounds_of
from facenet_lit.metrics.bootstrap_table import PairTable
from facenet_lit.metrics.figures import figures
from facenet_lit.metrics.pair_scoring import score_all_pairs, score_listed_pairs
from facenet_lit.metrics.rates import accuracy
from facenet_lit.metrics.resampling import ACCURACY, resample, resample_accuracy
from facenet_lit.run_folder import write_atomically

HERE = Path(__file__).resolve().parent / "bounds_coverage"
REPLICATES, KEPT = 500, 50

EQUAL = Setting(100, equal_sizes, "100 identities of 4 images")
LFW = Setting(300, lfw_sizes, "300 identities of LFW-like sizes")
SETTINGS = {"equal": EQUAL, "lfw": LFW, "compare": EQUAL, "compare_lfw": LFW}
SETS = {"equal": 2_000, "lfw": 2_000, "compare": 500, "compare_lfw": 500}


def judge(setting: Setting, number: int) -> dict[str, list[float]]:
    """The tallies of a data set, by the names of the figures that have bounds; see :func:`tallied`."""
    truth, (rows, listed) = true_rates(), drawn_set(setting, number)
    told = figures(score_all_pairs(*rows[:3]), THRESHOLD, FARS)
    resampled = resample(PairTable.of_all(rows), REPLICATES, THRESHOLD, FARS)
    told[ACCURACY] = accuracy(score_listed_pairs(*rows[:3], listed), truth["threshold"])
    resampled[ACCURACY] = resample_accuracy(PairTable.of_list(rows, listed), REPLICATES, truth["threshold"])
    return {
        name: tallied(truth[name.removesuffix("_balanced")], bounds_of(rate, values), values.drawn)
        for name, values in resampled.items()
        if (rate := told[name]) is not None
    }


def judge_two(setting: Setting, number: int) -> dict[str, list[float]]:
    """The tallies of the differences of two runs that are equal in truth."""
    first, second = (
        score_run(rows, None, None, REPLICATES, THRESHOLD, FARS) for rows in two_runs(setting, number)
    )
    return {
        name: tallied(
            0.0,
            Bounds(one.low, one.high, one.fallback),
            second.resampled[name].drawn - first.resampled[name].drawn,
        )
        for name, one in differences(first, second).items()
    }


def tallied(truth: float, bounds: Bounds, drawn: Floats) -> list[float]:
    """What is counted of bounds, in the order of TALLIES; ``drawn`` (R,) are the replicates that they may be from."""
    low, high, counted = bounds
    plain_low, plain_high = np.nanquantile(drawn, [0.025, 0.975])
    found = [1.0, float(truth < low), float(truth > high), high - low]
    nothing = [0.0] * len(found)
    return [*(nothing + found if counted else found + nothing), float(plain_low <= truth <= plain_high)]


def run(name: str, sets: int, place: Path = HERE) -> None:
    """Judges the data sets of a setting that are not judged yet."""
    path, paired, setting = place / f"{name}.json", name.startswith("compare"), SETTINGS[name]
    kept: dict[str, Any] = {"about": setting.about, "truth": None if paired else true_rates()}
    kept |= {"judged": 0, "tallies": {}}
    if path.is_file():
        kept = json.loads(path.read_text(encoding="utf-8"))
    while kept["judged"] < sets:
        number = kept["judged"]
        for figure, values in (judge_two if paired else judge)(setting, number).items():
            before = kept["tallies"].get(figure, dict.fromkeys(TALLIES, 0.0))
            kept["tallies"][figure] = {
                key: before[key] + value for key, value in zip(TALLIES, values, strict=True)
            }
        kept["judged"] = number + 1
        if kept["judged"] % KEPT == 0 or kept["judged"] == sets:
            write_atomically(path, json.dumps(kept, indent=1) + "\n")
            print(f"{name}: {kept['judged']} of {sets} data sets", flush=True)


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
            run(name, SETS[name])
    text = table(HERE, SETTINGS)
    write_atomically(HERE / "table.md", text + "\n")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
