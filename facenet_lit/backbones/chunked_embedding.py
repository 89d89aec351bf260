"""A batch embedded in chunks: memory for the maps of a chunk, whatever the batch.

A triplet loss needs the embeddings of all rows at once, but not what the network went through to make them. So a
chunk's maps are dropped once it is embedded, and made again in the backward pass, a chunk at a time: the embedding
cache of Gao et al. 2021, Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup, section 3.2
(GradCache), by torch's own checkpointing. It costs a second forward pass. Random state is replayed: the dropout
of the head leaves out what it would have left out of the whole batch. A backbone that draws would draw the same in
every chunk; none of ours does.

Without batch statistics the gradient is that of the whole batch. With BatchNorm it is not: a chunk is then the unit of
the statistics, as a process is without SyncBatchNorm. Running statistics take each chunk in once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from facenet_lit import gathering
from facenet_lit.backbones.embedder import Embedder


def embed_in_chunks(embedder: Embedder, images: Tensor, first: int, total: int, rows: int | None) -> Tensor:
    """Embeds this process's rows of a global batch.

    Args:
        embedder: in training mode.
        images: (N, 3, H, W) uint8 RGB, or float in [0, 255].
        first: row of the global batch that the first of these is.
        total: rows of the global batch.
        rows: most rows of a chunk, or one more where a row would be left alone, of which BatchNorm can make nothing;
            None embeds all at once.

    Returns:
        (N, D) unit vectors, with their gradient.
    """
    if rows is None:
        return _embed(embedder, images, first, total)
    # As many chunks on every process, where BatchNorms wait for one another: shares differ by a row.
    world = gathering.world_size()
    chunks = min(math.ceil(math.ceil(total / world) / rows), max(1, total // world // 2))
    parts = []
    for chunk in images.tensor_split(chunks):
        parts.append(_remade(embedder, chunk, first, total))
        first += len(chunk)
    return torch.cat(parts)


def _remade(embedder: Embedder, images: Tensor, first: int, total: int) -> Tensor:
    devices = [images.device] if images.device.type == "cuda" else []
    with torch.random.fork_rng(devices):  # every chunk draws from where the batch began
        embeddings: Tensor = checkpoint(
            _embed,
            embedder,
            images,
            first,
            total,
            use_reentrant=False,
            context_fn=lambda: _contexts(embedder),
        )
    return embeddings


def _embed(embedder: Embedder, images: Tensor, first: int, total: int) -> Tensor:
    embedder.dropout.share = (first, total)
    embeddings: Tensor = embedder(images)
    return embeddings


def _contexts(embedder: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """What surrounds the first pass of a chunk, and the second."""
    return nullcontext(), _statistics_kept(embedder)


@contextmanager
def _statistics_kept(network: nn.Module) -> Iterator[None]:
    """BatchNorms go by their batch, but do not remember it."""
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    kept = [norm.momentum for norm in norms]
    seen = [None if norm.num_batches_tracked is None else norm.num_batches_tracked.clone() for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum, count in zip(norms, kept, seen, strict=True):
            norm.momentum = momentum
            if count is not None and norm.num_batches_tracked is not None:
                norm.num_batches_tracked.copy_(count)
