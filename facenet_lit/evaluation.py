"""What an evaluation scores: the images chosen and refused as they should be, and their embeddings by a checkpoint."""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from facenet_lit.batch import IntArray, Rows
from facenet_lit.building import build_data
from facenet_lit.checkpoint import ModelCard, load_embedder, read_card, read_checkpoint
from facenet_lit.chosen_images import Chosen, choose, read_list, refuse_outside
from facenet_lit.config_values import override_value
from facenet_lit.data.audit import CHOOSE_OTHERS, find_trained_people, find_trained_pictures, refuse
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.data.listed_pairs import decoded_pairs
from facenet_lit.errors import UserError, check_choice, check_integer, check_number
from facenet_lit.lightning_trainer import choose_device
from facenet_lit.metrics.pair_scoring import unique_rows
from facenet_lit.metrics.verification import check_replicates
from facenet_lit.precision import lay_out
from facenet_lit.recipe import read_fars
from facenet_lit.resolution_checks import check_resolution, fars_asked_for
from facenet_lit.sources.lfw_lists import ListedPair

log = logging.getLogger(__name__)

# Settings of data that an evaluation has no use for, and what to do instead.
SETTINGS_OF_TRAINING = {
    "data.normalize": "it is part of the checkpoint",
    "data.batch_size": "say batch_size=",
    "data.fold": "evaluate the checkpoint of that fold",
}


class Evaluated(NamedTuple):
    """What a checkpoint makes of the chosen images.

    Attributes:
        rows: their embeddings, ascending by image number.
        chosen: which images and pairs they are.
        card: of the checkpoint.
        files: their names.
    """

    rows: Rows
    chosen: Chosen
    card: ModelCard
    files: list[str]


class Opened(NamedTuple):
    """What is to be scored, as far as the listing tells.

    Attributes:
        data: the pictures, not packed yet.
        listed: pairs of file names by the folds of their list, None for all pairs.
        chosen: which images and pairs they are, should all of them decode.
    """

    data: FaceDataModule
    listed: list[list[ListedPair]] | None
    chosen: Chosen


def embed_chosen(config: DictConfig, path: str) -> Evaluated:
    """Embeds what is to be scored by a checkpoint.

    Args:
        config: of an evaluation: its data, part, pairs, metrics, batch_size and accelerator.
        path: the checkpoint.

    Raises:
        UserError: a setting is wrong, or the checkpoint was trained on some of it; before a picture is decoded, where
            the listing tells.
    """
    check_settings(config)
    card = read_card(read_checkpoint(path))
    opened = open_chosen(config, card)
    check_fars_of(config, opened.chosen)
    return embed_opened(config, opened, card, path)


def check_settings(config: DictConfig) -> None:
    """Raises UserError where a setting of an evaluation is wrong by itself."""
    check_choice("part", config.part, ("val", "test", "all"))
    check_integer("batch_size", config.batch_size, 1)
    choose_device(config.accelerator, "accelerator")
    check_number("metrics.threshold", config.metrics.threshold)
    check_replicates("bounds", config.metrics.bounds)
    read_fars(config.metrics)


def open_chosen(config: DictConfig, card: ModelCard, beside: Opened | None = None) -> Opened:
    """Chooses what a checkpoint is scored on, by the listing.

    Args:
        config: see :func:`embed_chosen`.
        card: the checkpoint's.
        beside: what another is scored on of the same source, which is not read again.

    Raises:
        UserError: a setting is wrong, or the checkpoint was trained on people of it.
    """
    _refuse_settings_of_training(config, card)
    # Of the data that is scored: another data set's list of ten folds has nothing to do with the checkpoint's.
    fold = config.data.get("fold")
    listed = None if config.pairs is None else read_list(str(config.pairs), fold)
    _settle_split(config)
    data = build_data(config.data, source=beside and beside.data.source)
    if beside and (data.size, data.crop) == (beside.data.size, beside.data.crop):
        data = beside.data
    cut = card.data.get("crop")
    if config.data.crop != cut:
        here, there = map(override_value, (config.data.crop, cut))
        log.info("data.crop=%s: the network was trained with data.crop=%s", here, there)
    chosen = choose(data.source, data.listed.parts, config.part, listed)
    _refuse_people(chosen, data, card, config.part)
    return Opened(data, listed, chosen)


def check_fars_of(config: DictConfig, chosen: Chosen) -> None:
    """Warns of FARs that the chosen pairs are too few for; raises UserError where the user asked for such a one."""
    impostors, asked = {config.part: chosen.impostor_pairs}, fars_asked_for(HydraConfig.get().overrides.task)
    warning = check_resolution(impostors, read_fars(config.metrics), asked)
    if warning:
        log.warning("%s", warning)


def embed_opened(config: DictConfig, opened: Opened, card: ModelCard, path: str) -> Evaluated:
    """Embeds what was opened; raises UserError where the checkpoint was trained on pictures of it."""
    data = opened.data
    data.setup()
    faces = data.faces
    listed = None if opened.listed is None else decoded_pairs(opened.listed, faces.left_out)
    chosen = choose(faces, data.parts, config.part, listed)  # again, as some may not have decoded
    files = [faces.files[number] for number in chosen.numbers]
    trained, pictures = card.trained_pictures.numpy(), faces.fingerprints[chosen.numbers]
    refuse(find_trained_pictures(trained, files, pictures), data.allow_leak, CHOOSE_OTHERS)
    device = choose_device(config.accelerator, "accelerator")
    rows = embed(path, card, data, chosen.numbers, config.batch_size, device)
    return Evaluated(unique_rows(*rows[:3]), chosen, card, files)


def _settle_split(config: DictConfig) -> None:
    """Takes all images as one part where all are scored, and refuses a part where there are none."""
    if config.part == "all":
        OmegaConf.update(config, "data.split", "none")
        if "fold" in config.data:
            OmegaConf.update(config, "data.fold", None)
    elif config.data.split == "none":
        raise UserError(f"data.split=none: makes no parts; say part=all, not part={config.part}")


def _refuse_people(chosen: Chosen, data: FaceDataModule, card: ModelCard, part: str) -> None:
    """Raises UserError where the checkpoint was trained on people that are scored, or they are not of the part."""
    names = [data.source.names[i] for i in np.unique(data.source.identities[chosen.numbers])]
    refuse(find_trained_people(card.trained_identities.numpy(), names), data.allow_leak, CHOOSE_OTHERS)
    refuse_outside(chosen, data, part)


def _refuse_settings_of_training(config: DictConfig, card: ModelCard) -> None:
    """Raises UserError where the user sets what belongs to the network, and so could have no effect here."""
    for text in HydraConfig.get().overrides.task:
        name = text.split("=")[0].lstrip("+")
        if name not in SETTINGS_OF_TRAINING:
            continue
        saved, said = card.data.get(name.removeprefix("data.")), OmegaConf.select(config, name)
        if saved is not None and said != saved:
            advice = SETTINGS_OF_TRAINING[name]
            raise UserError(f"{name}={said}: the checkpoint was trained with {saved}, which stays; {advice}")


def embed(
    path: str,
    card: ModelCard,
    data: FaceDataModule,
    numbers: IntArray,
    batch_size: int,
    device: torch.device,
) -> Rows:
    """Embeddings of these images, in the arithmetic that the checkpoint was trained in."""
    embedder = lay_out(load_embedder(path)).to(device)
    parts = []
    with (
        torch.inference_mode(),
        torch.autocast(device.type, torch.bfloat16, enabled=card.precision == "bf16"),
    ):
        for batch in data.part_dataloader(numbers, batch_size):
            parts.append((embedder(batch.images.to(device)).cpu(), batch.identities, batch.numbers))
    embeddings, identities, image_numbers = (torch.cat(column) for column in zip(*parts, strict=True))
    return Rows(embeddings, identities, image_numbers)
