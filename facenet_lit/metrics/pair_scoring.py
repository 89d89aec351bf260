"""Scores embeddings: the distances of all pairs of images, or of listed ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facenet_lit.batch import Rows
from facenet_lit.errors import UserError
from facenet_lit.metrics.counted_distances import DistanceCounter
from facenet_lit.metrics.exact_distances import ExactDistances
from facenet_lit.metrics.scored_pairs import ScoredPairs

BLOCK = 512  # side of a tile of pairs that are compared together


def unique_rows(embeddings: Tensor, identities: Tensor, numbers: Tensor) -> Rows:
    """Rows in ascending order of their image numbers, of equal numbers the first, on the CPU.

    Args:
        embeddings: (N, D), any floating type and device.
        identities: (N,) integers.
        numbers: (N,) integers, the image numbers.

    Returns:
        float32 embeddings, int64 identities and numbers.

    Raises:
        UserError: the shapes don't fit, or embeddings aren't finite.
    """
    if embeddings.ndim != 2 or not (identities.shape == numbers.shape == embeddings.shape[:1]):
        raise UserError("embeddings: expected (N, D) with an identity and an image number for each row")
    bad = int((~torch.isfinite(embeddings)).any(1).sum())
    if bad:
        raise UserError(
            f"embeddings hold NaN or infinity in {bad} of {len(embeddings)} rows: expected finite numbers; "
            "training has diverged, lower the learning rate or use 32-bit precision"
        )
    kept, first = np.unique(numbers.cpu().numpy().astype(np.int64), return_index=True)
    index = torch.from_numpy(first)
    values = embeddings.detach().to("cpu", torch.float32)[index]
    return Rows(values, identities.cpu().long()[index], torch.from_numpy(kept))


def score_all_pairs(embeddings: Tensor, identities: Tensor, numbers: Tensor) -> ScoredPairs:
    """Scores each unordered pair of different images once.

    Takes the arguments of :func:`unique_rows`, unit vectors; a repeated image counts once, and the order of
    the rows doesn't matter. Impostor pairs are counted, not kept: memory is that of the genuine pairs, of two tiles and
    of the counters (:class:`DistanceCounter`). Distances are those of :class:`ExactDistances`: a pair has the same one
    here and in a list.

    Raises:
        UserError: the shapes don't fit, or embeddings aren't finite.
    """
    rows = unique_rows(embeddings, identities, numbers)
    order = torch.argsort(rows.identities, stable=True)  # so that few tiles hold genuine pairs
    people = rows.identities[order].numpy()
    exact = ExactDistances(rows.embeddings[order])
    images = len(people)
    impostor = DistanceCounter(images * (images - 1) // 2)
    genuine, genuine_identities = [np.empty(0, np.float32)], [np.empty(0, np.int64)]
    for row in range(0, images, BLOCK):
        for column in range(row, images, BLOCK):
            across, down = slice(column, min(column + BLOCK, images)), slice(row, min(row + BLOCK, images))
            distances = exact.tile(down, across)  # (R, C)
            if row == column or people[down][-1] == people[column]:
                later = np.arange(images)[None, across] > np.arange(images)[down, None]
                same = people[down, None] == people[None, across]
                own = later & same
                genuine.append(distances[own])
                genuine_identities.append(people[down][np.nonzero(own)[0]])
                distances = distances[later & ~same]
            impostor.add(distances)
    return ScoredPairs.counted(
        np.concatenate(genuine), np.concatenate(genuine_identities), impostor.counted()
    )


def score_listed_pairs(
    embeddings: Tensor, identities: Tensor, numbers: Tensor, pairs: npt.ArrayLike
) -> ScoredPairs:
    """Scores the pairs of a list, as often as they are listed, by the distances of :func:`score_all_pairs`.

    Args:
        embeddings: (N, D) unit vectors, as for :func:`unique_rows`.
        identities: (N,) integers.
        numbers: (N,) integers, the image numbers.
        pairs: (P, 2) image numbers.

    Raises:
        UserError: a number is not among ``numbers``, a pair is of an image with itself, or the embeddings
            don't fit or aren't finite.
    """
    rows = unique_rows(embeddings, identities, numbers)
    listed = np.asarray(pairs, np.int64).reshape(-1, 2)
    known = rows.numbers.numpy()
    missing = np.setdiff1d(listed, known)
    if len(missing):
        raise UserError(
            f"pairs: {len(missing)} image numbers have no embedding, the first {missing[0]}: expected pairs "
            "of images that were embedded; give the list that belongs to this part"
        )
    if np.any(listed[:, 0] == listed[:, 1]):
        raise UserError("pairs: an image is paired with itself: expected two images; take that pair out")
    first, second = torch.from_numpy(np.searchsorted(known, listed)).unbind(1)  # rows, (P,) each
    distances = ExactDistances(rows.embeddings).listed(first, second)
    people = rows.identities.numpy()[first.numpy()]
    genuine = people == rows.identities.numpy()[second.numpy()]
    return ScoredPairs.of(distances[genuine], people[genuine], distances[~genuine])
