"""The leak audit of a run that was not started yet: told, where training would refuse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from logging import ERROR, getLogger

import numpy as np

from facenet_lit.checkpoint import ModelCard
from facenet_lit.checks.finding import Finding, Verdict
from facenet_lit.data.audit import (
    find_leaks,
    find_trained_people,
    find_trained_pictures,
    find_twins,
)
from facenet_lit.data.datamodule import FaceDataModule


def find_all(data: FaceDataModule, known: ModelCard | None) -> list[str]:
    """Every leak of a run, a line each.

    Args:
        data: set up, with leaks allowed.
        known: the card of the weights that the run starts from, or None.
    """
    source, faces, parts = data.source, data.faces, data.parts
    with unlogged():
        leaks = find_leaks(
            data.listed.parts, source.identities, source.names, source.files, data.listed.listed_pairs
        )
        leaks += find_twins(parts, faces.files, faces.fingerprints)
    leaks = [leak.removesuffix(", all named in the log") for leak in leaks]
    if known is None:
        return leaks
    judged = np.concatenate([parts["val"], parts["test"]])
    names = [faces.names[i] for i in np.unique(faces.identities[judged])]
    files, pictures = [faces.files[number] for number in judged], faces.fingerprints[judged]
    leaks += find_trained_people(known.trained_identities.numpy(), names)
    return leaks + find_trained_pictures(known.trained_pictures.numpy(), files, pictures)


def check_leaks(leaks: list[str], allowed: bool, advice: str, images: int, people: int) -> Finding:
    """Whether something stands on two sides.

    Args:
        leaks: a line each.
        allowed: ``data.allow_leak``.
        advice: what to do about one.
        images: how many were compared.
        people: likewise.
    """
    if not leaks:
        said = f"No person of {people:,} and no picture of {images:,} stands on two sides of the split, under any name."
        return Finding("leaks", Verdict.OK, said)
    if allowed:
        said, verdict = f"Allowed by data.allow_leak: {'; '.join(leaks)}.", Verdict.LOOK
        return Finding("leaks", verdict, said, f"don't compare its rates with others: {advice}")
    return Finding("leaks", Verdict.STOP, f"{'; '.join(leaks)}.", advice)


@contextmanager
def unlogged(package: str = "facenet_lit.data") -> Iterator[None]:
    """Keeps what a package logs for itself: the page says it."""
    logger = getLogger(package)
    before = logger.level
    logger.setLevel(ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
