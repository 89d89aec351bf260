"""What is refused before a run trains."""

from __future__ import annotations

import logging

import torch
from omegaconf import DictConfig
from torch import nn

from facenet_lit.backbones import build_backbone
from facenet_lit.backbones.embedder import Embedder
from facenet_lit.backbones.outputs import WARNINGS
from facenet_lit.backbones.synced_batch_norm import refuse_odd_batch_norms
from facenet_lit.compilation import check_compiler
from facenet_lit.config_values import plain
from facenet_lit.errors import UserError, check_choice, check_flag, check_integer
from facenet_lit.growth import Growth
from facenet_lit.lightning_trainer import check_trainer
from facenet_lit.losses.loss import Loss
from facenet_lit.metrics.figures import figure_names
from facenet_lit.mining import Miner
from facenet_lit.weights import Weights, refuse_misfits, refuse_other_network

log = logging.getLogger(__name__)

# What seeds every generator at once takes no greater one.
GREATEST_SEED = 2**32 - 1


def refuse_misplaced_values(config: DictConfig) -> None:
    """Raises UserError where a single value stands in the place of a group of settings."""
    groups = {"checkpoint": config.checkpoint, "model.arguments": config.model.arguments}
    groups |= {f"callbacks.{name}": value for name, value in (config.get("callbacks") or {}).items()}
    for name, value in groups.items():
        if not isinstance(value, DictConfig):
            raise UserError(f"{name}={value}: expected settings under it, {name}.NAME=VALUE; see --help")


def _refuse_network(model: DictConfig, size: int, start: int | None) -> Embedder:
    """The network on the meta device, where it has shapes and no weights; refused if pictures do not fit."""
    with torch.device("meta"):
        backbone = build_backbone(model.backbone, **plain(model.arguments))
        embedder = Embedder(
            backbone,
            model.embedding_size,
            mean=[0.0] * 3,
            std=[1.0] * 3,
            head=model.head,
            dropout=model.dropout,
            mirror=model.mirror,
            freeze=model.freeze,
            output=model.output,
        )
        _refuse_size(backbone.eval(), "data.size", size, model.backbone)
        if start is not None:
            _refuse_size(backbone.train(not model.freeze), "trainer.grow_from", start, model.backbone)
    return embedder


def _refuse_size(backbone: nn.Module, setting: str, size: int, name: str) -> None:
    try:
        backbone(torch.empty(2, 3, size, size))
    except UserError as error:  # which knows of one setting that says a size
        raise UserError(str(error).replace(f"data.size={size}", f"{setting}={size}")) from error
    except (AssertionError, RuntimeError, TypeError, ValueError) as error:  # a foreign network's own words
        raise UserError(f"{setting}={size}: {name} can't take it: {str(error).splitlines()[0]}") from error


def _judge_output(output: str, trainer: DictConfig) -> None:
    """Warns of an output that is no embedding; refuses one over the batch where the batch comes in parts."""
    if output == "l2_over_batch" and (trainer.devices > 1 or trainer.chunk is not None):
        raise UserError(
            "model.output=l2_over_batch: rows depend on the others of their batch; "
            "leave trainer.devices at 1 and trainer.chunk at null"
        )
    if output in WARNINGS:
        log.warning("%s", WARNINGS[output])


def refuse_nonsense(config: DictConfig, miner: Miner, loss: Loss, weights: Weights | None = None) -> None:
    """Raises UserError where settings make no sense together, before any picture is decoded."""
    check_integer("seed", config.seed, 0, GREATEST_SEED)
    check_trainer(config.trainer)
    check_compiler(config.trainer.compile, config.trainer.accelerator)
    check_flag("test", config.test)
    size = check_integer("data.size", config.data.size, 64)
    growth = Growth(size, config.trainer.grow_from, config.trainer.grow_until)
    embedder = _refuse_network(config.model, size, growth.start if growth.start < size else None)
    if config.trainer.devices > 1:
        refuse_odd_batch_norms(embedder)
    _judge_output(config.model.output, config.trainer)
    if weights is not None:
        arguments = plain(config.model.arguments)
        refuse_other_network(weights, config.model.backbone, arguments, config.data.normalize)
        refuse_misfits(embedder, weights)
    if not loss.ever_needs_triplets and miner.name != "semi_hard":
        raise UserError(
            f"miner={miner.name}: this loss takes the pairs of a batch by itself; leave miner out, or say loss=triplet"
        )
    draws_triplets = config.sampler._target_.endswith("TripletSampler")
    if miner.needs_given and not draws_triplets:
        raise UserError(
            f"miner={miner.name}: expected drawn triplets; say sampler=triplets, or miner=semi_hard"
        )
    names = [f"val/{name}" for name in (*figure_names(config.metrics.fars), "loss")]
    check_choice("monitor", config.monitor, names)
