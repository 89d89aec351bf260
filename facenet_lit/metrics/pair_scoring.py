"""Scores embeddings: the distances of all pairs of images, or of listed ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facenet_lit.batch import IntArray, Rows
from facenet_lit.errors import UserError
from facenet_lit.metrics.counted_distances import UNCOUNTED, DistanceCounter
from facenet_lit.metrics.exact_distances import ExactDistances, distances, listed_steps
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
    # The sum takes one pass, telling which rows takes many; it may be infinite where they are not.
    bad = 0 if torch.isfinite(embeddings.sum()) else int((~torch.isfinite(embeddings)).any(1).sum())
    if bad:
        raise UserError(
            f"embeddings hold NaN or infinity in {bad} of {len(embeddings)} rows: expected finite numbers; "
            "training has diverged, lower the learning rate or use 32-bit precision"
        )
    kept, first = np.unique(numbers.cpu().numpy().astype(np.int64), return_index=True)
    values, people = embeddings.detach().to("cpu", torch.float32), identities.cpu().long()
    if not np.array_equal(
        first, np.arange(len(numbers))
    ):  # else they are as they should be, and no copy is needed
        values, people = values[first], people[first]
    return Rows(values, people, torch.from_numpy(kept))


def score_all_pairs(
    embeddings: Tensor, identities: Tensor, numbers: Tensor, device: torch.device | str = "cpu"
) -> ScoredPairs:
    """Scores each unordered pair of different images once.

    Takes the arguments of :func:`unique_rows`, unit vectors; a repeated image counts once, and the order of
    the rows doesn't matter. Impostor pairs are counted, not kept: memory is that of the genuine pairs, of the
    embeddings once more, of two tiles and of the counters (:class:`DistanceCounter`). Distances are those of
    :class:`ExactDistances`: a pair has the same one here and in a list.

    Args:
        embeddings: (N, D).
        identities: (N,) integers.
        numbers: (N,) integers, the image numbers.
        device: where to compare; what is found doesn't depend on it.

    Raises:
        UserError: the shapes don't fit, or embeddings aren't finite or longer than unit vectors.
    """
    rows = unique_rows(embeddings, identities, numbers)
    order = torch.argsort(rows.identities, stable=True)  # so that few tiles hold genuine pairs
    people = rows.identities[order]
    exact, impostor = ExactDistances(rows.embeddings, order, device), DistanceCounter(device)
    genuine, genuine_identities = [torch.empty(0, dtype=torch.int32)], [people[:0]]
    for down, across in tiles(len(people)):
        steps = exact.tile(down, across)  # (R, C)
        if down.start == across.start or people[down.stop - 1] == people[across.start]:
            same = people[down, None] == people[None, across]
            later = torch.arange(down.start, down.stop)[:, None] < torch.arange(across.start, across.stop)
            first, second = (later & same).nonzero(as_tuple=True)
            genuine.append(steps[first.to(device), second.to(device)].cpu())
            genuine_identities.append(people[down][first])
            steps.masked_fill_((same | ~later).to(device), UNCOUNTED)
        impostor.add(steps)
    return ScoredPairs.counted(
        distances(torch.cat(genuine)), torch.cat(genuine_identities).numpy(), impostor.counted()
    )


def tiles(images: int) -> Iterator[tuple[slice, slice]]:
    """The tiles, rows and columns, that hold every pair of images once, those on the diagonal twice."""
    blocks = [slice(start, min(start + BLOCK, images)) for start in range(0, images, BLOCK)]
    return combinations_with_replacement(blocks, 2)


def score_listed_pairs(
    embeddings: Tensor, identities: Tensor, numbers: Tensor, pairs: npt.ArrayLike
) -> ScoredPairs:
    """Scores the pairs of one list, as :func:`score_lists` those of several.

    Args:
        embeddings: (N, D) unit vectors, as for :func:`unique_rows`.
        identities: (N,) integers.
        numbers: (N,) integers, the image numbers.
        pairs: (P, 2) image numbers.

    Raises:
        UserError: as :func:`score_lists`.
    """
    return score_lists(embeddings, identities, numbers, [pairs])[0]


def score_lists(
    embeddings: Tensor, identities: Tensor, numbers: Tensor, lists: Sequence[npt.ArrayLike]
) -> list[ScoredPairs]:
    """Scores the pairs of each list, as often as it holds them, by the distances of :func:`score_all_pairs`.

    Args:
        embeddings: (N, D), as for :func:`unique_rows`; those that are listed are unit vectors.
        identities: (N,) integers.
        numbers: (N,) integers, the image numbers.
        lists: (P, 2) image numbers each.

    Raises:
        UserError: a number is not among ``numbers``, a pair is of an image with itself, the embeddings don't
            fit or aren't finite, or listed ones are longer than unit vectors.
    """
    rows = unique_rows(embeddings, identities, numbers)
    listed = [np.asarray(pairs, np.int64).reshape(-1, 2) for pairs in lists]
    first, second = _places(np.concatenate([*listed, np.empty((0, 2), np.int64)]), rows.numbers.numpy())
    people = rows.identities.numpy()
    same, found = people[first] == people[second], distances(listed_steps(rows.embeddings, first, second))
    scored, start = [], 0
    for pairs in listed:
        at = slice(start, start + len(pairs))
        start, own = at.stop, same[at]
        scored.append(ScoredPairs.of(found[at][own], people[first[at][own]], found[at][~own]))
    return scored


def _places(listed: IntArray, known: IntArray) -> tuple[IntArray, IntArray]:
    """Where the images of listed pairs (P, 2) are among ``known`` (N,), which ascend: two of (P,)."""
    places = np.searchsorted(known, listed)
    there = np.append(known, -1).take(places) == listed
    missing = np.unique(listed[~there])
    if len(missing):
        raise UserError(
            f"pairs: {len(missing)} image numbers have no embedding, the first {missing[0]}: expected pairs "
            "of images that were embedded; give the list that belongs to this part"
        )
    first, second = places.T
    if np.any(first == second):
        raise UserError("pairs: an image is paired with itself: expected two images; take that pair out")
    return first, second
