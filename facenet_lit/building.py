"""Builds a run's data, model card and LightningModule from its config."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from facenet_lit.backbones.embedder import Embedder
from facenet_lit.checkpoint import ModelCard
from facenet_lit.config_values import plain
from facenet_lit.data.audit import identity_fingerprints
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.errors import UserError, check_integer
from facenet_lit.recipe import Recipe
from facenet_lit.sources.pack_source import own_setting
from facenet_lit.sources.source import Source
from facenet_lit.verification_module import VerificationModule

LEAST_SIZE = 64  # pixels: stands in for a pack's size where there is none, which its source tells of

OmegaConf.register_new_resolver(
    "own", lambda root, name: own_setting(root, name, LEAST_SIZE if name == "size" else None), replace=True
)


def build_source(settings: DictConfig | None) -> Source:
    """The source of pictures of a ``data`` config.

    Raises:
        UserError: none is chosen, or a setting of its is wrong.
    """
    if settings is None or "source" not in settings:
        raise UserError("data: no source of pictures; expected data=synthetic, folder, lfw or packed")
    source: Source = instantiate(settings.source)
    return source


def build_data(
    settings: DictConfig, config: DictConfig | None = None, source: Source | None = None
) -> FaceDataModule:
    """The LightningDataModule of a ``data`` config; with a sampler and augmentation where it trains.

    Args:
        settings: the ``data`` group.
        config: the whole config of a training run; None for evaluation.
        source: that of the settings, where it is built already.
    """
    return FaceDataModule(
        source=source or build_source(settings),
        sampler=None if config is None else _sampler(config.sampler),
        augmentation=None if config is None else instantiate(config.augmentation),
        batch_size=settings.batch_size,
        size=settings.size,
        crop=settings.crop,
        normalize=settings.normalize,
        split=settings.split,
        split_seed=settings.split_seed,
        fold=settings.get("fold"),  # LFW's alone
        cache=settings.cache,
        on_bad_image=settings.on_bad_image,
        allow_leak=settings.allow_leak,
        workers=settings.workers,
        seed=0 if config is None else config.seed,
    )


def build_card(config: DictConfig, data_choice: str, data: FaceDataModule) -> ModelCard:
    """What the run's checkpoints say of its embedder.

    Args:
        config: the whole config.
        data_choice: the option of the group ``data``.
        data: set up.
    """
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
        per_image=data.normalize == "image",
        output=config.model.output,
        data={"choice": data_choice, **flat},
        trained_identities=torch.from_numpy(identity_fingerprints(trained).copy()),
        trained_pictures=torch.from_numpy(faces.fingerprints[numbers].copy()),
    )


def build_module(
    embedder: Embedder, card: ModelCard, data: FaceDataModule, recipe: Recipe, chunk: int | None = None
) -> VerificationModule:
    """The LightningModule of a run."""
    trained = torch.from_numpy(data.faces.identities[data.parts["train"]])
    recipe.loss.set_up(trained, card.embedding_size)
    return VerificationModule(
        embedder,
        card,
        recipe.metrics,
        recipe.miner,
        recipe.loss,
        recipe.triplet_loss,
        recipe.optimizer,
        fixed_triplets={part: data.fixed_triplets(part) for part in recipe.metrics},
        listed_pairs=data.listed_pairs,
        backbone_lr=recipe.backbone_lr,
        chunk=chunk,
    )


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
