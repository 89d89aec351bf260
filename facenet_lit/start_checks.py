"""What is refused, or warned of, before a run trains."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

import numpy as np
import torch
from omegaconf import DictConfig

from facenet_lit.backbones import build_backbone
from facenet_lit.backbones.embedder import Embedder
from facenet_lit.building import check_trainer
from facenet_lit.command_line import plain
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.errors import UserError, check_choice, check_flag
from facenet_lit.metrics.figures import (
    BALANCED,
    figure_names,
    resolution_warnings,
    tar_at_far_name,
)
from facenet_lit.metrics.rates import is_resolvable
from facenet_lit.mining import Miner

log = logging.getLogger(__name__)


def refuse_several_processes(devices: object) -> None:
    """Raises UserError where more than one process would train."""
    counts = [os.environ.get(name, "1") for name in ("WORLD_SIZE", "SLURM_NTASKS")]
    started = max(int(count) if count.isdecimal() else 1 for count in counts)
    if devices != 1 or started > 1:
        count = devices if devices != 1 else started
        raise UserError(f"trainer.devices={count}: one process trains so far; expected trainer.devices=1")


def refuse_misplaced_values(config: DictConfig) -> None:
    """Raises UserError where a single value stands in the place of a group of settings."""
    groups = {"checkpoint": config.checkpoint, "model.arguments": config.model.arguments}
    groups |= {f"callbacks.{name}": value for name, value in (config.callbacks or {}).items()}
    for name, value in groups.items():
        if not isinstance(value, DictConfig):
            raise UserError(f"{name}={value}: expected settings under it, {name}.NAME=VALUE; see --help")


def refuse_nonsense(config: DictConfig, miner: Miner) -> None:
    """Raises UserError where settings make no sense together, before any picture is decoded."""
    refuse_several_processes(config.trainer.devices)
    check_trainer(config.trainer)
    check_flag("test", config.test)
    # On the meta device a network has shapes and no weights.
    with torch.device("meta"):
        backbone = build_backbone(config.model.backbone, **plain(config.model.arguments))
        Embedder(backbone, config.model.embedding_size, [0.0] * 3, [1.0] * 3, config.model.head)
    check_choice("monitor_mode", config.monitor_mode, ("min", "max"))
    draws_triplets = config.sampler._target_.endswith("TripletSampler")
    if miner.needs_given and not draws_triplets:
        raise UserError(
            f"miner={miner.name}: expected drawn triplets; say sampler=triplets, or miner=semi_hard"
        )
    names = [f"val/{name}" for name in (*figure_names(config.metrics.fars), "loss")]
    check_choice("monitor", config.monitor, names)


def warn_of_resolution(data: FaceDataModule, monitor: str, fars: Sequence[float], asked: bool) -> None:
    """Warns, once, of FARs that a part has too few impostor pairs for.

    Args:
        data: set up.
        monitor: the figure that checkpoints go by.
        fars: FARs at which TAR is told.
        asked: the user named these FARs on the command line.

    Raises:
        UserError: such a figure is the monitor, or was asked for by name.
    """
    for part in ("val", "test"):
        impostors = count_impostor_pairs(data, part)
        for line in resolution_warnings(impostors, fars):
            log.warning("%s: %s", part, line)
        missing = [tar_at_far_name(far) for far in fars if not is_resolvable(far, impostors)]
        hidden = [name for name in missing if f"{part}/{name}" == monitor.removesuffix(BALANCED)]
        if hidden or (asked and missing):
            what = f"monitor={monitor}" if hidden else f"metrics.fars={list(fars)}"
            raise UserError(
                f"{what}: {part} has {impostors} impostor pairs, too few for {', '.join(missing)}; "
                "use more images or a larger FAR"
            )


def count_impostor_pairs(data: FaceDataModule, part: str) -> int:
    """Number of unordered pairs of images of two identities in a part."""
    counts = np.unique(data.faces.identities[data.parts[part]], return_counts=True)[1]
    images = int(counts.sum())
    return images * (images - 1) // 2 - int((counts * (counts - 1) // 2).sum())
