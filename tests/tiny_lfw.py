"""LFW's official layout and lists in small, with drawn faces: 30 people of two pictures, in ten folds of three."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path

import cv2

from facenet_lit.sources.synthetic import SyntheticFaces

PEOPLE = [f"P{number:02d}" for number in range(30)]
FOLDS = [PEOPLE[3 * fold : 3 * fold + 3] for fold in range(10)]
TRAIN, TEST = PEOPLE[:21], PEOPLE[21:]  # view 1


def write_lfw(folder: Path, decodable: bool = True, size: int = 64) -> Path:
    """Writes pictures and lists, and returns the pictures' root.

    Args:
        folder: where the lists go, and ``lfw/`` with the pictures.
        decodable: False for files that are no pictures, where only names count.
        size: side of the pictures.
    """
    for number, read in SyntheticFaces(30, 2, size, seed=11).pictures():
        name = PEOPLE[number // 2]
        path = folder / "lfw" / name / f"{name}_{number % 2 + 1:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        if decodable:
            cv2.imwrite(str(path), read()[..., ::-1])
        else:
            path.write_text("no picture")
    write_lists(folder)
    return folder / "lfw"


def write_lists(folder: Path) -> None:
    """Writes the six lists."""
    for name, people in {"peopleDevTrain": TRAIN, "peopleDevTest": TEST}.items():
        (folder / f"{name}.txt").write_text("\n".join(_listed(people)) + "\n")
    for name, people in {"pairsDevTrain": TRAIN, "pairsDevTest": TEST}.items():
        (folder / f"{name}.txt").write_text("\n".join([str(len(people)), *_pairs(people)]) + "\n")
    lines = ["10", *(line for fold in FOLDS for line in _listed(fold))]
    (folder / "people.txt").write_text("\n".join(lines) + "\n")
    lines = ["10\t3", *(line for fold in FOLDS for line in _pairs(fold))]
    (folder / "pairs.txt").write_text("\n".join(lines) + "\n")


def write_archive(root: Path, path: Path) -> Path:
    """Packs the pictures as the official archive does, and returns its path."""
    with tarfile.open(path, "w:gz") as archive:
        archive.add(root, "lfw")
    return path


def _listed(people: Sequence[str]) -> list[str]:
    return [str(len(people)), *(f"{name}\t2" for name in people)]


def _pairs(people: Sequence[str]) -> list[str]:
    """A genuine pair of each, and each with the next."""
    following = [*people[1:], people[0]]
    genuine = [f"{name}\t1\t2" for name in people]
    return genuine + [f"{one}\t1\t{other}\t2" for one, other in zip(people, following, strict=True)]
