"""The data of a run, ready to train on: listed, checked, packed; and the arithmetic that its batches go by."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from omegaconf import DictConfig

from facenet_lit import gathering
from facenet_lit.backbones.embedder import Embedder
from facenet_lit.batch import IntArray
from facenet_lit.building import build_data
from facenet_lit.checkpoint import ModelCard, read_card, read_checkpoint
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.fine_tuning import refuse_people, refuse_pictures
from facenet_lit.lightning_trainer import batches_of_whole_steps, choose_device
from facenet_lit.precision import choose_precision
from facenet_lit.resolution_checks import check_resolution, count_impostor_pairs, fars_asked_for
from facenet_lit.sources.source import Table

log = logging.getLogger(__name__)


def prepare_data(config: DictConfig, overrides: Sequence[str], known: ModelCard | None) -> FaceDataModule:
    """The pictures, packed, once the listing has passed all checks.

    Args:
        config: the whole config.
        overrides: what the user said on the command line.
        known: the card of what the run goes on from, or None.
    """
    data = build_data(config.data, config)
    if known is not None:
        refuse_people(known, data)
    warning = _check_resolution(config, overrides, data.source, data.listed.parts)
    batches_of_whole_steps(data.batches, config.trainer.accumulate)
    if warning:
        log.warning("%s", warning)
    gathering.first_then_others(data.setup)
    if known is not None:
        refuse_pictures(known, data)
    # Some may not have decoded, or repeat others.
    if any(len(data.parts[part]) < len(numbers) for part, numbers in data.listed.parts.items()):
        _check_resolution(config, overrides, data.faces, data.parts)
    log.info("%s", describe(data))
    return data


def _check_resolution(
    config: DictConfig, overrides: Sequence[str], table: Table, parts: Mapping[str, IntArray]
) -> str | None:
    scored = ("val", "test") if config.test else ("val",)
    impostors = {part: count_impostor_pairs(table.identities[parts[part]]) for part in scored}
    asked = fars_asked_for(list(overrides))
    return check_resolution(impostors, list(config.metrics.fars), asked, config.monitor)


def precision_of(config: DictConfig, embedder: Embedder, data: FaceDataModule, resumed: Path | None) -> str:
    """The arithmetic: that of the run gone on with, else what the config says or a probe finds."""
    if resumed is not None:
        return read_card(read_checkpoint(resumed)).precision
    numbers = data.parts["train"][: data.batch_size]
    images = torch.from_numpy(data.faces.images[numbers]).permute(0, 3, 1, 2)  # (N, 3, H, W)
    device = choose_device(config.trainer.accelerator, "trainer.accelerator")
    return choose_precision(config.trainer.precision, embedder, images, device)


def describe(data: FaceDataModule) -> str:
    """A line on what is trained, validated and tested on."""
    sizes = []
    for part, numbers in data.parts.items():
        people = len(set(data.faces.identities[numbers].tolist()))
        sizes.append(f"{part} {len(numbers):,} images of {people:,} identities")
    return f"{data.source.name}: " + ", ".join(sizes)
