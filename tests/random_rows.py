"""Rows of a batch at random, some of them views of one image, for the tests of losses and miners."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from facenet_lit.batch import Rows, count_views


def batch(size: int, images: int, identities: int, seed: int) -> Rows:
    """So many rows of so many images of so many identities, in float64."""
    generator = torch.Generator().manual_seed(seed)
    embeddings = normalize(torch.randn(size, 4, generator=generator, dtype=torch.float64), dim=1)
    numbers = torch.randint(images, (size,), generator=generator)
    identity_of = torch.randint(identities, (images,), generator=generator)
    return Rows(embeddings, identity_of[numbers], numbers, torch.from_numpy(count_views(numbers.numpy())))


def take(rows: Rows, chosen: Tensor) -> Rows:
    """Some of the rows."""
    return Rows(*(None if part is None else part[chosen] for part in rows))
