"""Writes view 1 lists in which a quarter of the training people stand for the test people.

    python experiments/held_out_lists.py LISTS FOLDER [QUARTER]

LISTS is the folder of LFW's peopleDevTrain.txt, FOLDER gets a peopleDevTrain.txt of three quarters of its people,
a peopleDevTest.txt of the other, and a pairsDevTest.txt of those. Settings are tried there
(data.lists=FOLDER), so that the people of the real peopleDevTest.txt choose nothing.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

QUARTERS = 4


def split(people: list[tuple[str, int]], quarter: int) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """The people, each a name and a number of images, without a quarter of them, and that quarter."""
    order = np.random.default_rng(0).permutation(len(people))
    chosen = set(np.array_split(order, QUARTERS)[quarter].tolist())
    kept = [person for place, person in enumerate(people) if place not in chosen]
    return kept, [person for place, person in enumerate(people) if place in chosen]


def pairs(people: list[tuple[str, int]]) -> list[str]:
    """A genuine pair of each person with several images, and as many impostor pairs."""
    genuine = [f"{name}\t1\t2" for name, images in people if images > 1]
    names = [name for name, _ in people]
    impostor = [f"{one}\t1\t{other}\t1" for one, other in pairwise(names)]
    count = min(len(genuine), len(impostor))
    return [str(count), *genuine[:count], *impostor[:count]]


def main(lists: Path, folder: Path, quarter: int = 0) -> None:
    """Reads peopleDevTrain.txt and writes the three lists."""
    lines = (lists / "peopleDevTrain.txt").read_text(encoding="utf-8").splitlines()[1:]
    people = [(line.split()[0], int(line.split()[1])) for line in lines if line.strip()]
    train, test = split(people, quarter)
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in (("peopleDevTrain", train), ("peopleDevTest", test)):
        listed = [str(len(part)), *(f"{person}\t{images}" for person, images in part)]
        (folder / f"{name}.txt").write_text("\n".join(listed) + "\n", encoding="utf-8")
    (folder / "pairsDevTest.txt").write_text("\n".join(pairs(test)) + "\n", encoding="utf-8")
    print(f"{folder}: {len(train)} people to train and validate on, {len(test)} held out")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
