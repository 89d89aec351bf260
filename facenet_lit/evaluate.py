"""``python -m facenet_lit.evaluate``: tells a checkpoint's figures on people it never saw."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from facenet_lit import report, run_folder
from facenet_lit.batch import IntArray, Rows
from facenet_lit.checkpoint import ModelCard, read_card, read_checkpoint
from facenet_lit.chosen_images import Chosen
from facenet_lit.command_line import start
from facenet_lit.config_values import override_value, plain
from facenet_lit.errors import UserError
from facenet_lit.evaluation import embed_chosen
from facenet_lit.metrics.bounds import beside, bounded
from facenet_lit.metrics.figures import figures
from facenet_lit.metrics.fold_accuracy import fold_figures
from facenet_lit.metrics.pair_scoring import score_all_pairs, score_lists
from facenet_lit.metrics.rates import accuracy
from facenet_lit.places import place_of

log = logging.getLogger(__name__)


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
    if config.checkpoint is None:
        raise UserError("checkpoint is missing: expected checkpoint=FILE, a best.ckpt of a run")
    found = embed_chosen(config, config.checkpoint)
    return tell(found.rows, found.chosen, config, found.card), len(found.files)


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


def tell(rows: Rows, chosen: Chosen, config: DictConfig, card: ModelCard) -> dict[str, float | None]:
    """The figures; for listed pairs their accuracy at the checkpoint's threshold, and that over folds."""
    settings = config.metrics.threshold, list(config.metrics.fars)
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
    return beside(told, found.figures)


if __name__ == "__main__":
    main()
