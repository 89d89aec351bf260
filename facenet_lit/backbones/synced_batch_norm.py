"""BatchNorm over the rows of all processes on the CPU, where torch has none."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from facenet_lit import gathering
from facenet_lit.errors import UserError
from facenet_lit.precision import in_full

KINDS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class SyncedBatchNorm(_BatchNorm):
    """In training, BatchNorm (Ioffe and Szegedy 2015, algorithm 1) of the joined batch of all processes.

    Count and sum are added up over the processes first, then the squares of what deviates from the mean: no
    difference of large numbers. Processes may have different counts, or no rows at all.

    Args:
        kept: the layer whose parameters, statistics and settings it takes over, shared and not copied.
    """

    def __init__(self, kept: _BatchNorm) -> None:
        super().__init__(
            kept.num_features, kept.eps, kept.momentum, kept.affine, kept.track_running_stats, device="meta"
        )
        for name, weight in kept.named_parameters(recurse=False):
            self.register_parameter(name, weight)
        for name, statistic in kept.named_buffers(recurse=False):
            self.register_buffer(name, statistic)
        self.train(kept.training)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, ...) to the same; N may be 0 in training.

        Raises:
            ValueError: all processes together have no more than one value of each channel.
        """
        if not self.training or gathering.world_size() == 1:
            normalised: Tensor = super().forward(maps)
            return normalised
        values = in_full(maps)
        with torch.no_grad():
            mean, variance, count = joined_moments(values)
            self._remember(mean, variance * (count / (count - 1)))
        normalised = _Normalise.apply(values, mean, (variance + self.eps).rsqrt(), count)
        if self.affine:
            normalised = normalised * _shaped(self.weight, maps) + _shaped(self.bias, maps)
        return normalised.to(maps.dtype)

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of dimensions: it stands for all kinds of BatchNorm."""

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Moves the running statistics, by the momentum or as the mean over all batches."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(variance.to(self.running_var.dtype), share)


def sync_batch_norms(module: nn.Module) -> nn.Module:
    """Puts a :class:`SyncedBatchNorm` in the place of every BatchNorm of a module; in place."""
    for name, child in module.named_children():
        if not isinstance(child, _BatchNorm):
            sync_batch_norms(child)
        elif type(child) in KINDS:
            setattr(module, name, SyncedBatchNorm(child))
    return module


def refuse_odd_batch_norms(module: nn.Module) -> None:
    """Refuses a network with BatchNorms of a kind of its own: what they do besides would be lost in conversion.

    Raises:
        UserError: it has one, such as timm's with an activation inside.
    """
    for child in module.modules():
        if isinstance(child, _BatchNorm) and type(child) not in (*KINDS, SyncedBatchNorm):
            raise UserError(
                f"trainer.devices: {type(child).__name__} can't share its statistics between processes; "
                "train on one, or choose another network"
            )


def joined_moments(values: Tensor) -> tuple[Tensor, Tensor, int]:
    """Mean and variance of each channel over the rows of all processes, (C,) each, and their number.

    Args:
        values: (N, C, ...) this process's.

    Raises:
        ValueError: there is no more than one value of each channel.
    """
    channels = values.shape[1]
    others = [axis for axis in range(values.ndim) if axis != 1]
    own = torch.tensor([values.numel() // channels], dtype=torch.float64, device=values.device)
    sums = gathering.sum_of(torch.cat([values.sum(others, dtype=torch.float64), own]))
    count = int(sums[-1])
    if count < 2:
        raise ValueError(f"BatchNorm: expected more than one value of each channel, got {count}")
    mean = (sums[:-1] / count).to(values.dtype)
    squares = (values - _shaped(mean, values)).square().sum(others, dtype=torch.float64)
    return mean, (gathering.sum_of(squares) / count).to(values.dtype), count


def _shaped(channels: Tensor, maps: Tensor) -> Tensor:
    """(C,) as (1, C, 1, ...), to go with maps."""
    return channels.view(1, -1, *(1 for _ in maps.shape[2:]))


class _Normalise(torch.autograd.Function):
    """(x - mean) / deviation, where mean and deviation are functions of every process's x."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, mean: Tensor, scale: Tensor, count: int) -> Tensor:
        normalised = (values - _shaped(mean, values)) * _shaped(scale, values)
        ctx.save_for_backward(normalised, scale)
        ctx.count = count
        return normalised

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:  # type: ignore[override]
        normalised, scale = ctx.saved_tensors
        others = [axis for axis in range(gradient.ndim) if axis != 1]
        own = torch.stack([gradient.sum(others), (gradient * normalised).sum(others)])
        mean, slope = gathering.sum_of(own) / ctx.count  # (C,) each
        inner = gradient - _shaped(mean, gradient) - normalised * _shaped(slope, gradient)
        return inner * _shaped(scale, gradient), None, None, None
