"""The pictures of the page: faces as the network gets them, and triplets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from facenet_lit.batch import Batch
from facenet_lit.errors import shown
from facenet_lit.preprocessing import Picture

PEOPLE, EACH, TRIPLETS = 8, 6, 8


class Shown(NamedTuple):
    """A picture and what stands below it."""

    picture: Picture
    name: str


class Row(NamedTuple):
    """Pictures that stand beside one another."""

    name: str
    shown: list[Shown]


def rows_of_people(batches: Sequence[Batch], names: Sequence[str], files: Sequence[str]) -> list[Row]:
    """A few people, a row each, those with the most images first; an image comes once.

    Args:
        batches: as the network gets them.
        names: (K,) of the identities.
        files: (N,) of the images.
    """
    found: dict[int, dict[int, Shown]] = {}
    for batch in batches:
        for row, (person, number) in enumerate(
            zip(batch.identities.tolist(), batch.numbers.tolist(), strict=True)
        ):
            mine = found.setdefault(person, {})
            if number not in mine and len(mine) < EACH:
                mine[number] = Shown(as_picture(batch.images[row]), shown(files[number]))
    most = sorted(found, key=lambda person: -len(found[person]))[:PEOPLE]
    return [Row(shown(names[person]), list(found[person].values())) for person in most]


def rows_of_triplets(batch: Batch, triplets: Tensor, files: Sequence[str]) -> list[Row]:
    """A few triplets, a row each, spread over all of them.

    Args:
        batch: as the network gets it.
        triplets: (T, 3) rows of the batch.
        files: (N,) of the images.
    """
    chosen = torch.linspace(0, max(len(triplets) - 1, 0), min(TRIPLETS, len(triplets))).long()
    return [
        Row(f"triplet {index}", [_shown(batch, row, files) for row in triplets[index].tolist()])
        for index in chosen.tolist()
    ]


def as_picture(image: Tensor) -> Picture:
    """(3, H, W) uint8, or float in [0, 255], to (H, W, 3) uint8."""
    whole = image if image.dtype == torch.uint8 else image.round().clamp(0, 255).to(torch.uint8)
    picture: Picture = whole.cpu().permute(1, 2, 0).contiguous().numpy()
    return picture


def _shown(batch: Batch, row: int, files: Sequence[str]) -> Shown:
    return Shown(as_picture(batch.images[row]), shown(files[int(batch.numbers[row])]))
