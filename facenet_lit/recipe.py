"""What a run trains with, built from its config and checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, cast

import lightning as L
import torch
from hydra.utils import instantiate
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, ListConfig
from torch import nn

from facenet_lit.config_values import plain
from facenet_lit.errors import UserError, check_number
from facenet_lit.loggers.dashboard import Dashboard
from facenet_lit.losses.joint import JointLoss
from facenet_lit.losses.loss import Loss
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.metrics.figures import check_fars
from facenet_lit.metrics.verification import VerificationMetric
from facenet_lit.mining import Miner
from facenet_lit.verification_module import OptimizerFactory

LoggerFactory = Callable[..., Logger]


class Recipe(NamedTuple):
    """What a run trains with.

    ``optimizer`` makes the optimiser from the parameters, ``backbone_lr`` is the backbone's learning rate where it
    has one of its own, ``logger`` the logger from the run's folder
    (``save_dir``) and ``purge_step``; it is None where nothing is logged.
    """

    miner: Miner
    loss: Loss
    triplet_loss: TripletLoss
    optimizer: OptimizerFactory
    backbone_lr: float | None
    metrics: dict[str, VerificationMetric]
    callbacks: list[L.Callback]
    logger: LoggerFactory | None


def build_recipe(config: DictConfig) -> Recipe:
    """What a run trains with, every setting of it checked.

    Raises:
        UserError: one is out of range.
    """
    fars = read_fars(config.metrics)
    loss = instantiate(config.loss)
    return Recipe(
        instantiate(config.miner),
        loss,
        _triplet_loss(loss),
        _optimizer(config.optimizer),
        _backbone_lr(config.optimizer),
        {part: _metric(config.metrics, fars) for part in ("val", "test")},
        [_callback(name, settings) for name, settings in (config.get("callbacks") or {}).items()],
        _logger(config.get("logger")),
    )


def _metric(settings: DictConfig, fars: list[float]) -> VerificationMetric:
    return VerificationMetric(settings.threshold, fars, settings.bounds, settings.val_bounds)


def read_fars(metrics: DictConfig) -> list[float]:
    """The FARs that TAR is told at.

    Raises:
        UserError: they are no list of rates.
    """
    if not isinstance(metrics.fars, ListConfig):
        raise UserError(f"metrics.fars={metrics.fars}: expected a list of numbers, such as [0.1,0.01]")
    return list(check_fars(list(metrics.fars)))


def _triplet_loss(loss: Loss) -> TripletLoss:
    """What val/loss and test/loss are told by: the run's own triplet loss, else the nearest to it."""
    losses = (loss.second, loss.first) if isinstance(loss, JointLoss) else (loss,)
    for one in losses:
        if isinstance(one, TripletLoss):
            return one
    for one in losses:
        if isinstance(one, SemiHardMeanLoss):
            return TripletLoss(one.margin, one.squared)
    return TripletLoss()


def _callback(name: str, settings: DictConfig) -> L.Callback:
    callback = instantiate(settings)
    if not isinstance(callback, L.Callback):
        raise UserError(f"callbacks.{name}: expected a Lightning callback, named by _target_")
    return callback


def _optimizer(settings: DictConfig) -> OptimizerFactory:
    """The optimiser's factory, tried on a parameter: torch checks only then, and in its own words.

    ``fused`` is left out of one that knows no such setting, as NAdam.
    """
    factory = instantiate(settings)
    known = inspect.signature(factory.func).parameters
    left_out = {"backbone_lr", "fused"} - set(known)
    arguments = {name: value for name, value in factory.keywords.items() if name not in left_out}
    factory = partial(factory.func, **arguments)
    for name, value in plain(settings).items():
        if name == "backbone_lr":  # ours, and checked by itself
            continue
        # Null where it is torch's own default, as for foreach.
        left_to_torch = value is None and name in known and known[name].default is None
        if not name.startswith("_") and not left_to_torch and not isinstance(value, (bool, list)):
            check_number(f"optimizer.{name}", value)
    try:
        factory([nn.Parameter(torch.zeros(1))])
    except (TypeError, ValueError) as error:
        raise UserError(f"optimizer: {error}; expected settings that go together, see --help") from error
    return cast(OptimizerFactory, factory)


def _backbone_lr(settings: DictConfig) -> float | None:
    rate = settings.get("backbone_lr")
    return None if rate is None else check_number("optimizer.backbone_lr", rate)


def _logger(settings: DictConfig | None) -> LoggerFactory | None:
    """The logger's factory, its settings checked: a logger itself may write as soon as it is made."""
    if settings is None:
        return None
    factory: LoggerFactory = instantiate(settings, _partial_=True)
    if not isinstance(factory, partial):
        raise UserError("logger: expected a Lightning logger, named by _target_; or ~logger to do without")
    try:
        inspect.signature(factory.func).bind(**{**factory.keywords, "save_dir": "", "purge_step": 0})
    except (TypeError, ValueError) as error:
        raise UserError(f"logger: {error}; --help shows its settings") from error
    if isinstance(factory.func, type) and issubclass(factory.func, Dashboard):
        factory.func.check(**factory.keywords)
    return factory
