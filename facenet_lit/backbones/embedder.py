"""The embedder: normalisation, backbone, linear head and the one L2 normalisation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facenet_lit.backbones.outputs import OUTPUTS, embedding, training_output, unit
from facenet_lit.errors import UserError, check_choice, check_flag, check_integer, check_number

HEADS = ("batchnorm", "linear", "none")
_CACHED = 4  # pictures that a processor's cache holds as float32


class Embedder(nn.Module):
    """Pictures to unit vectors: (x / 255 - mean) / std, backbone, linear head, L2 normalisation.

    With ``per_image`` each picture's own mean and deviation are taken out as well, see ``standardize``.

    Head and L2 normalisation run in float32 under autocast too: bfloat16 keeps 8 bits, and distances near the
    margin differ by less than that.

    Args:
        backbone: (N, 3, H, W) float to (N, features), with an attribute ``features``.
        embedding_size: dimensions D of the embedding.
        mean: mean of each colour, for pixels in [0, 1].
        std: standard deviation of each colour, likewise.
        head: ``batchnorm`` is a bias-free linear layer and BatchNorm, ``linear`` a linear layer with bias, ``none``
            takes the features as they are.
            After average pooling of ReLU maps all features are positive, so a plain linear head starts with
            all embeddings in a narrow cone, where a triplet loss easily draws them into one point; BatchNorm
            centres every dimension, and embeddings start spread over the whole sphere.
        dropout: share of the features that training leaves out, drawn anew for each row.
        mirror: in evaluation mode the embedding is that of the picture and of its mirror image together: their
            sum, brought to length 1. It takes twice the time. Training does without: flips show it either.
        freeze: the backbone does not learn, and its BatchNorms keep their statistics.
        output: what the loss gets in training: ``l2``, unit vectors; or ``absolute`` or ``l2_over_batch``, two
            mistakes that are kept to be studied, see ``training_output``. What is evaluated has length 1 always.
        per_image: exposure and contrast of a whole picture are taken out (``data.normalize=image``).

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self,
        backbone: nn.Module,
        embedding_size: int,
        mean: Sequence[float],
        std: Sequence[float],
        head: str = "batchnorm",
        dropout: float = 0.0,
        mirror: bool = False,
        per_image: bool = False,
        freeze: bool = False,
        output: str = "l2",
    ) -> None:
        super().__init__()
        size = check_integer("model.embedding_size", embedding_size, 2)
        features = check_integer("backbone.features", backbone.features, 1)
        check_choice("model.head", head, HEADS)
        if head == "none" and size != features:
            raise UserError(
                f"model.head=none: expected model.embedding_size={features}, the features of the backbone, not {size}"
            )
        self.dropout = RowDropout(_check_dropout(dropout))
        self.mirror = check_flag("model.mirror", mirror)
        self.per_image = check_flag("per_image", per_image)
        self.output = check_choice("model.output", output, OUTPUTS)
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", _per_colour("mean", mean))
        self.register_buffer("std", _per_colour("std", std, above_zero=True))
        self.freeze = check_flag("model.freeze", freeze)
        if freeze and head == "none":
            raise UserError(
                "model.freeze=true: model.head=none leaves nothing to learn; say model.head=linear or batchnorm"
            )
        self.backbone = backbone.requires_grad_(not freeze).train(not freeze)
        self.head = nn.Sequential()
        if head != "none":
            self.head.append(nn.Linear(features, size, bias=head == "linear"))
        if head == "batchnorm":
            self.head.append(nn.BatchNorm1d(size))

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) uint8 RGB, or float in [0, 255], to (N, D) float32 unit vectors.

        A row whose head output is zero gives a zero vector.
        """
        pixels = self.pixels(images)
        embeddings = self._embed(pixels)
        if self.training or not self.mirror:
            return embeddings
        return unit(embeddings + self._embed(pixels.flip(3)))

    def pixels(self, images: Tensor) -> Tensor:
        """What the backbone gets: (N, 3, H, W) images, as ``forward`` takes them, to normalised ones."""
        pixels = normalized(images, self.mean, self.std)
        return standardize(pixels) if self.per_image else pixels

    def train(self, mode: bool = True) -> Embedder:
        """As of any module, but that a frozen backbone stays in evaluation mode."""
        super().train(mode)
        if self.freeze:
            self.backbone.eval()
        return self

    def _embed(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) normalised images to (N, D) float32: unit vectors, but for the loss what ``output`` says."""
        features = self.backbone(pixels)  # (N, features)
        with torch.autocast(pixels.device.type, enabled=False):
            features = self.dropout(features.to(self.mean.dtype))
            values = self.head(features)  # (N, D)
            return (training_output if self.training else embedding)(values, self.output)


class RowDropout(nn.Module):
    """Dropout whose mask is that of the global batch, of which a process has some rows.

    Processes with the same random state so drop together what one process would.

    Attributes:
        share: first row of the input in the global batch, and rows of the global batch; None where the input is
            all of it.

    Args:
        p: share of the features left out in training; the others are scaled up by 1 / (1 - p).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.share: tuple[int, int] | None = None

    def forward(self, features: Tensor) -> Tensor:
        """(N, F) to (N, F)."""
        if not self.training or self.p == 0:
            return features
        first, total = self.share or (0, len(features))
        ones = features.new_ones(total, features.shape[1])
        return features * F.dropout(ones, self.p)[first : first + len(features)]


def normalized(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """(x / 255 - mean) / std of each colour, in the images' memory format.

    Channels last, a colour's number is wanted at every third place: over whole lines of a picture that is several
    times as fast as over pixels of three.

    Args:
        images: (N, 3, H, W) uint8, or float in [0, 255].
        mean: (3, 1, 1).
        std: (3, 1, 1), of the numbers' kind that comes out.

    Returns:
        (N, 3, H, W).
    """
    scale, shift = 1 / (255 * std), -mean / std
    if images.requires_grad or not images.is_contiguous(memory_format=torch.channels_last):
        return images.to(mean.dtype, copy=True).mul_(scale).add_(shift)
    rows, _, height, width = images.shape
    lines = images.permute(0, 2, 3, 1).reshape(rows, height, 3 * width)  # the same numbers, seen in lines
    scale, shift = scale.flatten().repeat(width), shift.flatten().repeat(width)
    pixels = torch.empty_like(lines, dtype=mean.dtype)
    together = _CACHED if images.is_cpu else max(rows, 1)
    for start in range(0, rows, together):
        part = slice(start, start + together)
        torch.addcmul(shift, pixels[part].copy_(lines[part]), scale, out=pixels[part])
    return pixels.view(rows, height, width, 3).permute(0, 3, 1, 2)


def standardize(pixels: Tensor) -> Tensor:
    """Each picture less its mean, over its deviation, both over all three channels; an even one becomes zeros.

    The deviation counts as 1 / sqrt(values of a picture) at least: a nearly even picture would else be
    blown up into its noise. So does TensorFlow's tf.image.per_image_standardization.

    Args:
        pixels: (N, 3, H, W), values of x / 255.

    Returns:
        (N, 3, H, W).
    """
    centred = pixels - pixels.mean((1, 2, 3), keepdim=True)
    deviation = centred.square().mean((1, 2, 3), keepdim=True).sqrt()
    return centred / deviation.clamp_min(math.prod(pixels.shape[1:]) ** -0.5)


def _check_dropout(share: object) -> float:
    number = check_number("model.dropout", share, 0, 1)
    if number == 1:  # no feature would be left, and every embedding the same
        raise UserError(f"model.dropout={share}: expected a number of 0 or more, below 1")
    return number


def _per_colour(name: str, values: object, above_zero: bool = False) -> Tensor:
    """Three numbers as a (3, 1, 1) float32 tensor."""
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != 3:
        raise UserError(
            f"model.{name}={values!r}: expected three numbers, one per colour, such as [0.5,0.5,0.5]"
        )
    minimum = 0.0 if above_zero else -float("inf")
    numbers = [check_number(f"model.{name}", value, minimum, above=above_zero) for value in values]
    return torch.tensor(numbers, dtype=torch.float32)[:, None, None]
