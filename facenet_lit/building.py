"""Builds a run's parts from its config: data, model card, trainer."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import lightning as L
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, ListConfig
from torch import nn

from facenet_lit.backbones.embedder import Embedder
from facenet_lit.checkpoint import ModelCard
from facenet_lit.config_values import plain
from facenet_lit.data.audit import identity_fingerprints
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.errors import UserError, check_choice, check_integer, check_number
from facenet_lit.losses import TripletLoss
from facenet_lit.metrics.figures import check_fars
from facenet_lit.metrics.verification import VerificationMetric
from facenet_lit.mining import Miner
from facenet_lit.precision import PRECISIONS
from facenet_lit.verification_module import OptimizerFactory, VerificationModule

LoggerFactory = Callable[..., Logger]


def build_data(settings: DictConfig, config: DictConfig | None = None) -> FaceDataModule:
    """The LightningDataModule of a ``data`` config; with a sampler and augmentation where it trains.

    Args:
        settings: the ``data`` group.
        config: the whole config of a training run; None for evaluation.
    """
    if settings is None:
        raise UserError("data: no source of pictures; expected data=synthetic, data=folder or data=lfw")
    return FaceDataModule(
        source=instantiate(settings.source),
        sampler=None if config is None else _sampler(config.sampler),
        augmentation=None if config is None else instantiate(config.augmentation),
        batch_size=settings.batch_size,
        size=settings.size,
        crop=settings.crop,
        normalize=settings.normalize,
        split=settings.split,
        split_seed=settings.split_seed,
        cache=settings.cache,
        on_bad_image=settings.on_bad_image,
        allow_leak=settings.allow_leak,
        workers=settings.workers,
        seed=0 if config is None else config.seed,
    )


def build_card(config: DictConfig, data: FaceDataModule) -> ModelCard:
    """What the run's checkpoints say of its embedder."""
    mean, std = data.pixel_statistics()
    numbers, faces = data.parts["train"], data.faces
    # Without the source, which names a class: nothing is built by a name from a checkpoint.
    flat = {key: value for key, value in plain(config.data).items() if key != "source"}
    trained = [faces.names[i] for i in sorted(set(faces.identities[numbers].tolist()))]
    return ModelCard(
        backbone=config.model.backbone,
        arguments=plain(config.model.arguments),
        embedding_size=check_integer("model.embedding_size", config.model.embedding_size, 2),
        mean=mean,
        std=std,
        head=config.model.head,
        dropout=config.model.dropout,
        mirror=config.model.mirror,
        data={"choice": HydraConfig.get().runtime.choices["data"], **flat},
        trained_identities=torch.from_numpy(identity_fingerprints(trained).copy()),
        trained_pictures=torch.from_numpy(faces.fingerprints[numbers].copy()),
    )


class Recipe(NamedTuple):
    """What a run trains with.

    ``optimizer`` makes the optimiser from the parameters, ``logger`` the logger from the run's folder
    (``save_dir``) and ``purge_step``; it is None where nothing is logged.
    """

    miner: Miner
    loss: TripletLoss
    optimizer: OptimizerFactory
    metrics: dict[str, VerificationMetric]
    callbacks: list[L.Callback]
    logger: LoggerFactory | None


def build_recipe(config: DictConfig) -> Recipe:
    """What a run trains with, every setting of it checked.

    Raises:
        UserError: one is out of range.
    """
    fars = read_fars(config.metrics)
    return Recipe(
        instantiate(config.miner),
        instantiate(config.loss),
        _optimizer(config.optimizer),
        {part: VerificationMetric(config.metrics.threshold, fars) for part in ("val", "test")},
        [_callback(name, settings) for name, settings in (config.get("callbacks") or {}).items()],
        _logger(config.get("logger")),
    )


def read_fars(metrics: DictConfig) -> list[float]:
    """The FARs that TAR is told at.

    Raises:
        UserError: they are no list of rates.
    """
    if not isinstance(metrics.fars, ListConfig):
        raise UserError(f"metrics.fars={metrics.fars}: expected a list of numbers, such as [0.1,0.01]")
    return list(check_fars(list(metrics.fars)))


def _callback(name: str, settings: DictConfig) -> L.Callback:
    callback = instantiate(settings)
    if not isinstance(callback, L.Callback):
        raise UserError(f"callbacks.{name}: expected a Lightning callback, named by _target_")
    return callback


def _optimizer(settings: DictConfig) -> OptimizerFactory:
    """The optimiser's factory, tried on a parameter: torch checks only then, and in its own words."""
    factory = instantiate(settings)
    known = inspect.signature(factory.func).parameters
    for name, value in plain(settings).items():
        # Null where it is torch's own default, as for foreach.
        left_to_torch = value is None and name in known and known[name].default is None
        if not name.startswith("_") and not left_to_torch and not isinstance(value, (bool, list)):
            check_number(f"optimizer.{name}", value)
    try:
        factory([nn.Parameter(torch.zeros(1))])
    except (TypeError, ValueError) as error:
        raise UserError(f"optimizer: {error}; expected settings that go together, see --help") from error
    return cast(OptimizerFactory, factory)


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
    return factory


def build_module(
    embedder: Embedder, card: ModelCard, data: FaceDataModule, recipe: Recipe
) -> VerificationModule:
    """The LightningModule of a run."""
    return VerificationModule(
        embedder,
        card,
        recipe.metrics,
        recipe.miner,
        recipe.loss,
        recipe.optimizer,
        fixed_triplets={part: data.fixed_triplets(part) for part in recipe.metrics},
        listed_pairs=data.listed_pairs,
    )


def build_trainer(
    config: DictConfig,
    folder: Path,
    precision: str,
    callbacks: list[L.Callback],
    logger: LoggerFactory | None,
    step: int | None,
) -> L.Trainer:
    """Lightning's Trainer: it loops until the clock says stop.

    Args:
        config: the whole config.
        folder: the run's folder.
        precision: ``32`` or ``bf16``.
        callbacks: in the order in which they are called.
        logger: makes the logger, or None.
        step: the step that a resumed run goes on from, None for a new one: what the event files hold beyond
            it is of steps that are done again.
    """
    settings = config.trainer
    purge_step = 0 if step is None else step + 1
    loggers = [] if logger is None else [logger(save_dir=str(folder), purge_step=purge_step)]
    more = [RichProgressBar()] if sys.stderr.isatty() else []
    return L.Trainer(
        accelerator=settings.accelerator,
        devices=1,
        precision=PRECISIONS[precision],  # type: ignore[arg-type]
        max_epochs=-1,
        val_check_interval=settings.val_every_steps,
        check_val_every_n_epoch=None,
        log_every_n_steps=settings.log_every_steps,
        gradient_clip_val=settings.gradient_clip,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=sys.stderr.isatty(),
        logger=loggers,
        callbacks=[*callbacks, *more],
        default_root_dir=folder,
    )


def check_trainer(settings: DictConfig) -> None:
    """Checks what :func:`build_trainer` takes, so that it is refused before a picture is decoded.

    Raises:
        UserError: a setting is out of range.
    """
    choose_device(settings.accelerator, "trainer.accelerator")
    check_choice("trainer.precision", str(settings.precision), ("auto", *PRECISIONS))
    check_integer("trainer.val_every_steps", settings.val_every_steps, 1)
    check_integer("trainer.log_every_steps", settings.log_every_steps, 1)
    if settings.gradient_clip is not None:
        check_number("trainer.gradient_clip", settings.gradient_clip, above=True)


def choose_device(accelerator: str, name: str) -> torch.device:
    """The device of an accelerator.

    Args:
        accelerator: ``cpu`` or ``gpu``.
        name: the setting's, as the user writes it.

    Raises:
        UserError: it is not there.
    """
    check_choice(name, accelerator, ("cpu", "gpu"))
    if accelerator == "gpu" and not torch.cuda.is_available():
        raise UserError(
            f"{name}=gpu: torch sees no CUDA device here; say {name}=cpu, or install a CUDA torch"
        )
    return torch.device("cuda" if accelerator == "gpu" else "cpu")


def _sampler(settings: DictConfig) -> Any:
    """The sampler's factory; P, K and S have short names in the config."""
    values = plain(settings)
    long = {"identities": "identities_per_batch", "images": "images_per_identity"}
    factory = instantiate({long.get(key, key): value for key, value in values.items()})
    # A partial object takes any keyword, and refuses it only when it is called.
    unknown = set(factory.keywords) - set(inspect.signature(factory.func).parameters)
    if unknown:
        raise UserError(f"sampler.{min(unknown)}: no such setting; --help shows all of them")
    return factory
