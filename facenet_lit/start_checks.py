"""What is refused, or warned of, before a run trains."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from omegaconf import DictConfig

from facenet_lit.backbones import build_backbone
from facenet_lit.backbones.embedder import Embedder
from facenet_lit.batch import IntArray
from facenet_lit.config_values import plain
from facenet_lit.errors import UserError, check_choice, check_flag, check_integer
from facenet_lit.lightning_trainer import check_trainer
from facenet_lit.metrics.figures import BALANCED, figure_names, tar_at_far_name
from facenet_lit.metrics.resolution import resolution
from facenet_lit.mining import Miner

# How a FAR shows on too few impostor pairs, and what is said of it.
WARNED_OF = {"unresolvable": "leaves out", "coarse": "coarse"}


# What starts several processes says so here; what to do instead.
STARTERS = {
    "WORLD_SIZE": "start it by python -m facenet_lit.train, without torchrun, or unset WORLD_SIZE",
    "SLURM_NTASKS": "ask Slurm for one task (--ntasks=1)",
}

# What seeds every generator at once takes no greater one.
GREATEST_SEED = 2**32 - 1


def refuse_several_processes(devices: object) -> None:
    """Raises UserError where more than one process would train."""
    if devices != 1:
        raise UserError(f"trainer.devices={devices}: one process trains so far; expected trainer.devices=1")
    for name, advice in STARTERS.items():
        count = os.environ.get(name, "1")
        if count.isdecimal() and int(count) > 1:
            raise UserError(f"{name}={count}: one process trains so far; {advice}")


def refuse_misplaced_values(config: DictConfig) -> None:
    """Raises UserError where a single value stands in the place of a group of settings."""
    groups = {"checkpoint": config.checkpoint, "model.arguments": config.model.arguments}
    groups |= {f"callbacks.{name}": value for name, value in (config.get("callbacks") or {}).items()}
    for name, value in groups.items():
        if not isinstance(value, DictConfig):
            raise UserError(f"{name}={value}: expected settings under it, {name}.NAME=VALUE; see --help")


def refuse_nonsense(config: DictConfig, miner: Miner) -> None:
    """Raises UserError where settings make no sense together, before any picture is decoded."""
    check_integer("seed", config.seed, 0, GREATEST_SEED)
    refuse_several_processes(config.trainer.devices)
    check_trainer(config.trainer)
    check_flag("test", config.test)
    # On the meta device a network has shapes and no weights.
    with torch.device("meta"):
        backbone = build_backbone(config.model.backbone, **plain(config.model.arguments))
        model = config.model
        Embedder(
            backbone, model.embedding_size, [0.0] * 3, [1.0] * 3, model.head, model.dropout, model.mirror
        )
    draws_triplets = config.sampler._target_.endswith("TripletSampler")
    if miner.needs_given and not draws_triplets:
        raise UserError(
            f"miner={miner.name}: expected drawn triplets; say sampler=triplets, or miner=semi_hard"
        )
    names = [f"val/{name}" for name in (*figure_names(config.metrics.fars), "loss")]
    check_choice("monitor", config.monitor, names)


def check_resolution(
    impostors: Mapping[str, int], fars: Sequence[float], asked: bool, monitor: str = ""
) -> str | None:
    """Finds the FARs that a part has too few impostor pairs for.

    Args:
        impostors: number of impostor pairs of each part that is scored.
        fars: FARs at which TAR is told.
        asked: the user named these FARs on the command line.
        monitor: the figure that checkpoints go by.

    Returns:
        One line to warn by, None where there is nothing to warn of.

    Raises:
        UserError: such a figure is the monitor, or was asked for by name.
    """
    told = []
    for part, count in impostors.items():
        states = {state: [f for f in fars if resolution(f, count) == state] for state in WARNED_OF}
        missing = [tar_at_far_name(far) for far in states["unresolvable"]]
        hidden = f"{part}/" in monitor and monitor.split("/")[1].removesuffix(BALANCED) in missing
        if hidden or (asked and missing):
            what = f"monitor={monitor}" if hidden else f"metrics.fars={list(fars)}"
            raise UserError(
                f"{what}: {part} has {count} impostor pairs, too few for {', '.join(missing)}; "
                "use more images or a larger FAR"
            )
        lines = [
            f"{WARNED_OF[state]} {', '.join(map(tar_at_far_name, f))}" for state, f in states.items() if f
        ]
        told += [f"{part} has {count}: {'; '.join(lines)}"] if lines else []
    if not told:
        return None
    return f"few impostor pairs: {'. '.join(told)}. Use more images or larger FARs in metrics.fars"


def fars_asked_for(overrides: Iterable[str]) -> bool:
    """Whether the user named the FARs on the command line."""
    return any(text.lstrip("+").split("=")[0] == "metrics.fars" for text in overrides)


def count_impostor_pairs(identities: IntArray) -> int:
    """Number of unordered pairs of images of two identities.

    Args:
        identities: (N,) identity of each image.
    """
    counts = np.unique(identities, return_counts=True)[1]
    images = int(counts.sum())
    return images * (images - 1) // 2 - int((counts * (counts - 1) // 2).sum())
