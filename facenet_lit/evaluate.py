"""``python -m facenet_lit.evaluate``: tells a checkpoint's figures on people it never saw."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from facenet_lit import report, run_folder
from facenet_lit.batch import IntArray, Rows
from facenet_lit.building import build_data, choose_device
from facenet_lit.checkpoint import ModelCard, load_embedder, read_card, read_checkpoint
from facenet_lit.command_line import override_value, start
from facenet_lit.data.audit import find_trained_on, refuse
from facenet_lit.data.datamodule import FaceDataModule, number_pairs
from facenet_lit.errors import UserError, check_choice, check_integer
from facenet_lit.metrics.figures import figures, resolution_warnings
from facenet_lit.metrics.rates import accuracy
from facenet_lit.metrics.scored_pairs import ScoredPairs, score_all_pairs, score_listed_pairs
from facenet_lit.precision import lay_out
from facenet_lit.sources.lfw_lists import read_pairs

log = logging.getLogger(__name__)


def main() -> None:
    """The entry point."""
    start("evaluate", evaluate, completed)


def evaluate(config: DictConfig) -> None:
    """Scores a checkpoint, prints the table and writes metrics.json."""
    check_choice("part", config.part, ("val", "test", "all"))
    batch_size = check_integer("batch_size", config.batch_size, 1)
    if config.checkpoint is None:
        raise UserError("checkpoint is missing: expected checkpoint=FILE, a best.ckpt of a run")
    device = choose_device(config.accelerator)
    card = read_card(read_checkpoint(config.checkpoint))
    pairs_file = None if config.pairs is None else read_pairs(Path(config.pairs))

    if config.part == "all":
        OmegaConf.update(config, "data.split", "none")
    data = build_data(config.data)
    data.setup()
    listed = None if pairs_file is None else number_pairs(pairs_file, data.faces)
    numbers = chosen_images(data, config.part, listed)
    refuse_trained_on(card, data, numbers)

    rows = embed(config.checkpoint, card, data, numbers, batch_size, device)
    scored = score_all_pairs(*rows) if listed is None else score_listed_pairs(*rows, listed)
    told = tell(scored, config, card, listed is not None)
    folder = Path(HydraConfig.get().runtime.output_dir)
    named = {f"{config.part}/{name}": value for name, value in told.items()}
    run_folder.write_metrics(folder, named)
    kind = "all pairs" if listed is None else f"pairs of {Path(config.pairs).name}"
    report.show(report.figures_table(named, f"{config.checkpoint}: {kind}, {len(numbers):,} images"))
    log.info("figures  %s", folder / run_folder.METRICS)


def completed(overrides: Sequence[str]) -> list[str]:
    """The data settings of the checkpoint's own run, as overrides to stand before those of the user.

    Of another source only the size of the images is taken over: the network was trained at that size.

    Args:
        overrides: what the user said.
    """
    said = dict(text.split("=", 1) for text in overrides if "=" in text)
    path = said.get("checkpoint", "").strip("'\"")
    if not Path(path).is_file():
        return []
    saved = dict(read_card(read_checkpoint(path)).data)
    choice = str(saved.pop("choice"))
    if said.get("data", choice) != choice:
        return [f"data.size={saved['size']}"]
    group = [] if "data" in said else [f"data={choice}"]
    return [*group, *(f"data.{key}={override_value(value)}" for key, value in saved.items())]


def chosen_images(data: FaceDataModule, part: str, pairs: IntArray | None) -> IntArray:
    """Numbers of the images to embed: those of the pairs, else of the part.

    Raises:
        UserError: a listed pair reaches out of the part.
    """
    numbers = data.parts["test" if part == "all" else part]
    if pairs is None:
        return numbers
    needed = np.unique(pairs)
    outside = np.setdiff1d(needed, numbers)
    if len(outside) and not data.allow_leak:
        raise UserError(
            f"pairs: {len(outside)} listed pictures are not in part={part}, {data.faces.files[outside[0]]} "
            "for one; say part=all, or give the list of this part"
        )
    return needed


def refuse_trained_on(card: ModelCard, data: FaceDataModule, numbers: IntArray) -> None:
    """Refuses to score a checkpoint on what it was trained on.

    Raises:
        LeakError: it was, and ``data.allow_leak`` is not set.
    """
    faces = data.faces
    leaks = find_trained_on(
        card.trained_identities.numpy(),
        card.trained_pictures.numpy(),
        [faces.names[i] for i in np.unique(faces.identities[numbers])],
        [faces.files[number] for number in numbers],
        faces.fingerprints[numbers],
    )
    refuse(leaks, data.allow_leak)


def embed(
    path: str,
    card: ModelCard,
    data: FaceDataModule,
    numbers: IntArray,
    batch_size: int,
    device: torch.device,
) -> Rows:
    """Embeddings of these images, in the arithmetic that the checkpoint was trained in."""
    embedder = lay_out(load_embedder(path), card.precision).to(device)
    data.batch_size = batch_size
    parts = []
    with (
        torch.inference_mode(),
        torch.autocast(device.type, torch.bfloat16, enabled=card.precision == "bf16"),
    ):
        for batch in data.part_dataloader(numbers):
            parts.append((embedder(batch.images.to(device)).cpu(), batch.identities, batch.numbers))
    embeddings, identities, image_numbers = (torch.cat(column) for column in zip(*parts, strict=True))
    return Rows(embeddings, identities, image_numbers)


def tell(scored: ScoredPairs, config: DictConfig, card: ModelCard, listed: bool) -> dict[str, float | None]:
    """The figures; for listed pairs their accuracy too, at the checkpoint's threshold."""
    fars = list(config.metrics.fars)
    for line in resolution_warnings(len(scored.impostor), fars):
        log.warning("%s", line)
    told = figures(scored, config.metrics.threshold, fars)
    if listed and card.threshold is not None:
        told["accuracy"] = accuracy(scored, card.threshold)
    return told


if __name__ == "__main__":
    main()
