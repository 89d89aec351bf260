"""``python -m facenet_lit.compare RUN RUN``: whether one of two runs is better on the same people, and how surely."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from omegaconf import DictConfig, ListConfig, OmegaConf

from facenet_lit import evaluate, report, run_folder
from facenet_lit.checkpoint import ModelCard, read_card, read_checkpoint
from facenet_lit.chosen_images import Chosen
from facenet_lit.command_line import start
from facenet_lit.comparison import (
    Difference,
    Scored,
    differences,
    notes,
    refuse_other_images,
    refuse_pairs,
    rows_of,
    score_run,
    verdict,
)
from facenet_lit.config_values import override_value, plain
from facenet_lit.errors import UserError, check_choice
from facenet_lit.evaluation import Evaluated, check_fars_of, check_settings, embed_opened, open_chosen
from facenet_lit.folder_checks import refuse_unwritable
from facenet_lit.metrics.bootstrap_rates import rate_names
from facenet_lit.metrics.resampling import ACCURACY
from facenet_lit.metrics.resolution import is_resolvable
from facenet_lit.places import place_of
from facenet_lit.plots.style import pixels
from facenet_lit.plots.two_runs import Run, draw_two_runs
from facenet_lit.png_file import write_png
from facenet_lit.recipe import read_fars

log = logging.getLogger(__name__)

BEST = Path("checkpoints", "best.ckpt")
TABLE, PICTURE = "comparison.json", "roc.png"


def main() -> None:
    """The entry point; both runs may stand before all settings."""
    sys.argv[1:] = with_runs(sys.argv[1:])
    start("compare", compare, completed, keeps_folder=False)


def with_runs(arguments: Sequence[str]) -> list[str]:
    """A command line with the paths that it begins with as ``runs=[...]``, as Hydra knows settings alone."""
    paths: list[str] = []
    for argument in arguments:
        if argument.startswith("-") or "=" in argument:
            break
        paths.append(argument)
    return [*([f"runs={override_value(paths)}"] if paths else []), *arguments[len(paths) :]]


def completed(overrides: Sequence[str]) -> list[str]:
    """The data settings of the first run, as overrides to stand before those of the user.

    Args:
        overrides: what the user said.
    """
    own = [text for text in overrides if text.lstrip("+").startswith("data.size=")]
    if own:
        raise UserError(f"{own[0]}: each network is compared at its own size; leave it away")
    placed = [text for text in overrides if text.startswith("hydra.run.dir=")]
    if placed:
        raise UserError(f"{placed[0]}: say folder={placed[0].split('=', 1)[1]}")
    said = [text.split("=", 1)[1] for text in overrides if text.startswith("runs=")]
    if not said:
        return []
    runs = OmegaConf.create({"runs": OmegaConf.create(f"runs: {said[-1]}").runs}).runs
    if not isinstance(runs, ListConfig) or not len(runs):
        return []
    first, *_ = [checkpoint_of(str(run)) for run in runs]  # all of them are there, before data are read
    return evaluate.completed([f"checkpoint={first}", *overrides])


def checkpoint_of(run: str) -> Path:
    """The checkpoint of a run that is named by its folder, or by the checkpoint itself.

    Raises:
        UserError: there is none.
    """
    path = Path(run).expanduser()
    if path.is_dir() and not (path / BEST).is_file():
        raise UserError(f"{run}: no {BEST} in it; expected the folder of a run, or a checkpoint")
    if not path.exists():
        raise UserError(f"{run}: no such file or folder; expected the folder of a run, or a checkpoint")
    return path / BEST if path.is_dir() else path


def compare(config: DictConfig) -> None:
    """Compares two runs, prints the table and writes comparison.json and roc.png, in a folder that is new."""
    folder, runs = _checked(config)
    checkpoints = [checkpoint_of(run) for run in runs]
    cards = [read_card(read_checkpoint(path)) for path in checkpoints]
    configs = [_at_own_size(config, cards[0], card) for card in cards]
    one = open_chosen(configs[0], cards[0])
    other = open_chosen(configs[1], cards[1], one)
    _refuse_unscorable(config, one.chosen, cards)
    evaluated = [
        embed_opened(own, opened, card, str(path))
        for own, opened, card, path in zip(configs, (one, other), cards, checkpoints, strict=True)
    ]
    refuse_other_images(evaluated[0].rows, evaluated[1].rows)
    scored = [_scored(config, one) for one in evaluated]
    found = differences(*scored)
    figure = check_choice("figure", config.figure, found)
    picture = draw_two_runs([Run(run, one.pairs, one.figures) for run, one in zip(runs, scored, strict=True)])
    write_png(folder / PICTURE, pixels(picture))
    tell(config, folder, found, verdict(figure, found[figure], runs), len(evaluated[0].files))
    log.info("picture  %s", folder / PICTURE)


def _folder(said: str | None) -> Path:
    """The folder that is meant; else a new one, to the microsecond: those that start together don't share one."""
    if said is not None:
        return Path(str(said)).expanduser()
    return Path("runs", "comparisons", datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f"))


def _checked(config: DictConfig) -> tuple[Path, list[str]]:
    """Where the comparison goes, and the two runs; raises UserError where the settings can't be used."""
    place, folder = place_of(os.environ), _folder(config.folder)
    if place is not None:
        raise UserError(f"{place.world} processes were started: a comparison runs in one; start it by itself")
    if not isinstance(config.runs, ListConfig) or len(config.runs) != 2:
        raise UserError("runs: expected two, as in compare RUN RUN, or runs=[ONE,OTHER]")
    runs = list(map(str, config.runs))
    if len({checkpoint_of(run).resolve() for run in runs}) == 1:
        raise UserError(f"runs: both are {runs[0]}; expected two that differ")
    check_settings(config)
    if config.metrics.bounds == 0:
        raise UserError("metrics.bounds=0: a comparison is by bounds; say metrics.bounds=1000")
    if (folder / TABLE).exists():
        raise UserError(f"{folder}: holds a comparison; name another folder, or delete it")
    refuse_unwritable(folder)
    return folder, runs


def _at_own_size(config: DictConfig, first: ModelCard, own: ModelCard) -> DictConfig:
    """The config with the size of a run's images, and their crop where the first run's are cut as in training."""
    result = OmegaConf.create(plain(config))
    result.data.size = own.data["size"]
    if config.data.crop == first.data.get("crop") and first.data["choice"] == own.data["choice"]:
        result.data.crop = own.data.get("crop")
    return result


def _refuse_unscorable(config: DictConfig, chosen: Chosen, cards: Sequence[ModelCard]) -> None:
    """Raises UserError where the chosen pairs can't be compared on, or not by the figure: before any is decoded."""
    images, impostors = len(chosen.numbers), chosen.impostor_pairs
    refuse_pairs(
        images * (images - 1) // 2 if chosen.folds is None else sum(map(len, chosen.folds)), impostors
    )
    check_fars_of(config, chosen)
    names = rate_names([far for far in read_fars(config.metrics) if is_resolvable(far, impostors)])
    if chosen.folds is not None and all(card.threshold is not None for card in cards):
        names.append(ACCURACY)
    check_choice("figure", config.figure, names)


def _scored(config: DictConfig, found: Evaluated) -> Scored:
    listed = None if found.chosen.folds is None else np.concatenate(found.chosen.folds)
    settings = config.metrics
    return score_run(
        found.rows, listed, found.card.threshold, settings.bounds, settings.threshold, read_fars(settings)
    )


def tell(
    config: DictConfig, folder: Path, found: Mapping[str, Difference], sentence: str, images: int
) -> None:
    """Writes comparison.json, prints the table, and says in a sentence which is better."""
    runs = list(map(str, config.runs))
    facts = {"runs": runs, "part": config.part, "pairs": config.pairs, "images": images, "verdict": sentence}
    values = {name: one._asdict() for name, one in found.items()}
    run_folder.write_atomically(folder / run_folder.CONFIG, OmegaConf.to_yaml(config, resolve=True))
    text = json.dumps({**facts, "figures": values}, indent=2, allow_nan=False)
    run_folder.write_atomically(folder / TABLE, text + "\n")
    kind = "all pairs" if config.pairs is None else f"pairs of {Path(str(config.pairs)).name}"
    title = f"{runs[1]} less {runs[0]}: {config.part}, {kind}, {images:,} images"
    report.show(report.rows_table(rows_of(found), title))
    for line in notes(found):
        log.info("%s", line)
    log.info("%s", sentence)
    log.info("figures  %s", folder / TABLE)


if __name__ == "__main__":
    main()
