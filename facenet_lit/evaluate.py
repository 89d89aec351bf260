"""``python -m facenet_lit.evaluate``: tells a checkpoint's figures on people it never saw."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from facenet_lit import report, run_folder
from facenet_lit.batch import IntArray, Rows
from facenet_lit.building import build_data
from facenet_lit.checkpoint import ModelCard, load_embedder, read_card, read_checkpoint
from facenet_lit.chosen_images import Chosen, choose, read_list, refuse_outside
from facenet_lit.command_line import start
from facenet_lit.config_values import override_value, plain
from facenet_lit.data.audit import CHOOSE_OTHERS, find_trained_people, find_trained_pictures, refuse
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.data.listed_pairs import decoded_pairs
from facenet_lit.errors import UserError, check_choice, check_integer, check_number
from facenet_lit.lightning_trainer import choose_device
from facenet_lit.metrics.bounds import bounded
from facenet_lit.metrics.figures import figures
from facenet_lit.metrics.fold_accuracy import fold_figures
from facenet_lit.metrics.pair_scoring import score_all_pairs, score_lists, unique_rows
from facenet_lit.metrics.rates import accuracy
from facenet_lit.metrics.verification import check_replicates
from facenet_lit.places import place_of
from facenet_lit.precision import lay_out
from facenet_lit.recipe import read_fars
from facenet_lit.resolution_checks import check_resolution, fars_asked_for

log = logging.getLogger(__name__)

# Settings of data that an evaluation has no use for, and what to do instead.
SETTINGS_OF_TRAINING = {
    "data.normalize": "it is part of the checkpoint",
    "data.batch_size": "say batch_size=",
    "data.fold": "evaluate the checkpoint of that fold",
}


def main() -> None:
    """The entry point."""
    start("evaluate", evaluate, completed)


def evaluate(config: DictConfig) -> None:
    """Scores a checkpoint, prints the table and writes metrics.json, in a folder that Hydra made."""
    place = place_of(os.environ)
    if place is not None:
        raise UserError(
            f"{place.world} processes were started: an evaluation runs in one; start it by itself"
        )
    folder = Path(HydraConfig.get().runtime.output_dir)
    with run_folder.locked(folder):
        run_folder.checkpoint_to_resume(folder, plain(config), resume=False)  # refuses that of another run
        told, images = score(config)
        write(config, folder, told, images)


def score(config: DictConfig) -> tuple[dict[str, float | None], int]:
    """A checkpoint's figures, and of how many images they are."""
    check_choice("part", config.part, ("val", "test", "all"))
    batch_size = check_integer("batch_size", config.batch_size, 1)
    if config.checkpoint is None:
        raise UserError("checkpoint is missing: expected checkpoint=FILE, a best.ckpt of a run")
    device = choose_device(config.accelerator, "accelerator")
    card = read_card(read_checkpoint(config.checkpoint))
    _refuse_settings_of_training(config, card)
    check_number("metrics.threshold", config.metrics.threshold)
    check_replicates("bounds", config.metrics.bounds)
    fars = read_fars(config.metrics)
    # Of the data that is scored: another data set's list of ten folds has nothing to do with the checkpoint's.
    fold = config.data.get("fold")
    listed = None if config.pairs is None else read_list(str(config.pairs), fold)

    if config.part == "all":
        OmegaConf.update(config, "data.split", "none")
        if "fold" in config.data:
            OmegaConf.update(config, "data.fold", None)
    elif config.data.split == "none":
        raise UserError(f"data.split=none: makes no parts; say part=all, not part={config.part}")
    data = build_data(config.data)
    cut = card.data.get("crop")
    if config.data.crop != cut:
        here, there = map(override_value, (config.data.crop, cut))
        log.info("data.crop=%s: the network was trained with data.crop=%s", here, there)
    # All that the listing tells, before a picture is decoded.
    chosen = choose(data.source, data.listed.parts, config.part, listed)
    names = [data.source.names[i] for i in np.unique(data.source.identities[chosen.numbers])]
    trained = card.trained_identities.numpy()
    refuse(find_trained_people(trained, names), data.allow_leak, CHOOSE_OTHERS)
    refuse_outside(chosen, data, config.part)
    asked = fars_asked_for(HydraConfig.get().overrides.task)
    warning = check_resolution({config.part: chosen.impostor_pairs}, fars, asked)
    if warning:
        log.warning("%s", warning)

    data.setup()
    faces = data.faces
    listed = None if listed is None else decoded_pairs(listed, faces.left_out)
    chosen = choose(faces, data.parts, config.part, listed)  # again, as some may not have decoded
    files = [faces.files[number] for number in chosen.numbers]
    trained, pictures = card.trained_pictures.numpy(), faces.fingerprints[chosen.numbers]
    refuse(find_trained_pictures(trained, files, pictures), data.allow_leak, CHOOSE_OTHERS)

    rows = embed(config.checkpoint, card, data, chosen.numbers, batch_size, device)
    return tell(rows, chosen, config, card), len(files)


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


def write(config: DictConfig, folder: Path, told: Mapping[str, float | None], images: int) -> None:
    """Writes metrics.json and prints the table."""
    named = {f"{config.part}/{name}": value for name, value in told.items()}
    run_folder.write_metrics(folder, named)
    kind = "all pairs" if config.pairs is None else f"pairs of {Path(str(config.pairs)).name}"
    report.show(report.figures_table(named, f"{config.checkpoint}: {kind}, {images:,} images"))
    log.info("figures  %s", folder / run_folder.METRICS)


def completed(overrides: Sequence[str]) -> list[str]:
    """The data settings of the checkpoint's own run, as overrides to stand before those of the user.

    Of another source only the size of the images is taken over: the network was trained at that size. A leak
    that was allowed in training is not allowed here by that. Where pictures lie and their list go together.

    Args:
        overrides: what the user said.
    """
    said = dict(text.split("=", 1) for text in overrides if "=" in text)
    path = said.get("checkpoint", "").strip("'\"")
    if not Path(path).expanduser().is_file():
        return []
    saved = dict(read_card(read_checkpoint(path)).data)
    choice = str(saved.pop("choice"))
    saved.pop("allow_leak", None)
    if said.get("data.split", "view2") not in ("view2", "none"):
        saved.pop("fold", None)  # another split has none; of all people its list is still scored
    if said.get("data", choice) != choice:
        return [f"data.size={saved['size']}"]
    if {"data.root", "data.list"} & set(said):
        saved = {key: value for key, value in saved.items() if key not in ("root", "list")}
    group = [] if "data" in said else [f"data={choice}"]
    return [*group, *(f"data.{key}={override_value(value)}" for key, value in saved.items())]


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


def tell(rows: Rows, chosen: Chosen, config: DictConfig, card: ModelCard) -> dict[str, float | None]:
    """The figures; for listed pairs their accuracy at the checkpoint's threshold, and that over folds."""
    settings = config.metrics.threshold, list(config.metrics.fars)
    rows = unique_rows(*rows[:3])
    if chosen.folds is None:
        return _with_bounds(figures(score_all_pairs(*rows[:3]), *settings), rows, config)
    several = chosen.folds if len(chosen.folds) > 1 else []
    scored, *folds = score_lists(*rows[:3], [np.concatenate(chosen.folds), *several])
    told = figures(scored, *settings)
    if card.threshold is not None:
        told["accuracy"] = accuracy(scored, card.threshold)
    told = _with_bounds(told, rows, config, np.concatenate(chosen.folds), card.threshold)
    return {**told, **fold_figures(folds)} if folds else told


def _with_bounds(
    told: dict[str, float | None],
    rows: Rows,
    config: DictConfig,
    listed: IntArray | None = None,
    judged_at: float | None = None,
) -> dict[str, float | None]:
    """The figures and their bounds, with a word on what to know of them."""
    settings = config.metrics
    found = bounded(told, rows, settings.bounds, settings.threshold, list(settings.fars), listed, judged_at)
    for warning in found.warnings:
        log.warning("%s", warning)
    return {**told, **found.figures}


if __name__ == "__main__":
    main()
