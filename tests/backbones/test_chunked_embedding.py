"""Embedding in chunks: the gradient of the whole batch, its dropout, and what BatchNorms remember."""

import pytest
import torch
from torch import Tensor, nn

from facenet_lit.backbones.chunked_embedding import embed_in_chunks
from facenet_lit.backbones.embedder import Embedder

IMAGES = torch.randint(0, 256, (13, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


class Tiny(nn.Module):
    """A convolution, and BatchNorm if asked for."""

    features = 4

    def __init__(self, batch_norm: bool) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 8, 8)
        self.norm = nn.BatchNorm2d(4) if batch_norm else nn.Identity()
        self.passes: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.passes.append(len(images))
        return torch.tanh(self.norm(self.layer(images))).mean((2, 3))


def made(batch_norm: bool, dropout: float = 0.0) -> Embedder:
    torch.manual_seed(0)
    head = "batchnorm" if batch_norm else "linear"
    return Embedder(Tiny(batch_norm), 5, [0.5] * 3, [0.5] * 3, head, dropout).double().train()


def gradients(embedder: Embedder, rows: int | None, first: int = 0, last: int = 13) -> list[Tensor]:
    torch.manual_seed(1)
    embeddings = embed_in_chunks(embedder, IMAGES[first:last], first, len(IMAGES), rows)
    assert embeddings.shape == (last - first, 5)
    targets = torch.linspace(-1, 1, 65, dtype=torch.float64).reshape(13, 5)[first:last]
    (embeddings @ embeddings.T).sub(targets @ targets.T).square().sum().backward()
    return [weight.grad for weight in embedder.parameters()]


@pytest.mark.parametrize("rows", [2, 5, 7, 13, 100])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_gradient_is_that_of_the_whole_batch(rows: int, dropout: float) -> None:
    whole, chunked = made(False, dropout), made(False, dropout)
    for one, other in zip(gradients(whole, None), gradients(chunked, rows), strict=True):
        torch.testing.assert_close(other, one, rtol=0, atol=1e-10)
    chunks = min(-(-13 // rows), 6)  # of two rows at least
    assert len(chunked.backbone.passes) == 2 * chunks  # forward, and once more for the gradient
    assert max(chunked.backbone.passes) <= max(rows, 3)
    assert min(chunked.backbone.passes) >= 2


def test_a_share_of_the_batch_drops_what_the_whole_would() -> None:
    embedder = made(False, 0.5)
    torch.manual_seed(1)
    whole = embed_in_chunks(embedder, IMAGES, 0, 13, None)
    torch.manual_seed(1)
    share = embed_in_chunks(embedder, IMAGES[4:], 4, 13, 3)
    torch.testing.assert_close(share, whole[4:])


def test_no_row_is_left_alone_with_a_batch_norm() -> None:
    assert all(torch.isfinite(gradient).all() for gradient in gradients(made(True), 2))


def test_a_chunk_is_the_unit_of_batch_statistics_and_is_remembered_once() -> None:
    chunked, by_hand = made(True), made(True)
    gradients(chunked, 5)
    parts = IMAGES.tensor_split(3)  # 5, 4, 4
    embeddings = torch.cat([by_hand(part) for part in parts])
    targets = torch.linspace(-1, 1, 65, dtype=torch.float64).reshape(13, 5)
    (embeddings @ embeddings.T).sub(targets @ targets.T).square().sum().backward()
    for one, other in zip(by_hand.parameters(), chunked.parameters(), strict=True):
        torch.testing.assert_close(other.grad, one.grad, rtol=0, atol=1e-10)
    for (name, one), other in zip(by_hand.named_buffers(), chunked.buffers(), strict=True):
        torch.testing.assert_close(other, one, msg=name)
    assert chunked.backbone.norm.momentum == 0.1
    assert int(chunked.backbone.norm.num_batches_tracked) == 3
