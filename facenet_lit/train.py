"""``python -m facenet_lit.train``: trains an embedder and tells how good it is on people it never saw."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path

import lightning as L
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from facenet_lit import report, run_folder
from facenet_lit.backbones.embedder import Embedder
from facenet_lit.batch import IntArray
from facenet_lit.budget import Budget
from facenet_lit.building import build_card, build_data, build_module
from facenet_lit.callbacks.checkpoints import Checkpoints, StoppedBySignal
from facenet_lit.callbacks.seeded_steps import SeededSteps
from facenet_lit.callbacks.training_clock import TrainingClock
from facenet_lit.callbacks.validation_lines import ValidationLines
from facenet_lit.checkpoint import ModelCard, read_card, read_checkpoint
from facenet_lit.command_line import start
from facenet_lit.config_values import plain
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.errors import check_choice
from facenet_lit.fine_tuning import refuse_people, refuse_pictures, take_over
from facenet_lit.lightning_trainer import build_trainer, choose_device
from facenet_lit.precision import choose_precision, lay_out
from facenet_lit.provenance import origin_of
from facenet_lit.recipe import build_recipe
from facenet_lit.resolution_checks import check_resolution, count_impostor_pairs, fars_asked_for
from facenet_lit.scoring import score_best
from facenet_lit.sources.source import Table
from facenet_lit.start_checks import refuse_misplaced_values, refuse_nonsense
from facenet_lit.weights import load_weights, read_weights

log = logging.getLogger(__name__)

# What Lightning warns of and is meant: batches come from memory, so workers would only cost; a resumed
# sampler goes on where it was, though Lightning cannot see that.
MEANT = (
    ".*does not have many workers.*",
    ".*LeafSpec.*",
    ".*smaller than the logging interval.*",
    ".*in eval mode at the start of training.*",  # a frozen backbone
    ".*your dataloader is not resumable.*",
)


def main() -> None:
    """The entry point."""
    start("train", train)


def train(config: DictConfig) -> None:
    """Trains in a folder that Hydra made, and leaves metrics.json there."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    if config.resume is not None:
        check_choice("resume", config.resume, ("auto",))
    with run_folder.locked(folder):
        resumed = _checkpoint_to_resume(config, folder)
        if run_folder.is_finished(folder):
            log.info("resume=auto: %s holds this run, finished; nothing is left to do", folder)
            return
        figures = fit(config, folder, resumed)
        run_folder.write_metrics(folder, figures)
        report.show(report.figures_table(figures, "best checkpoint"))
        _tell_where(folder)


def fit(config: DictConfig, folder: Path, resumed: Path | None) -> dict[str, float | None]:
    """Trains, then scores the best checkpoint.

    Args:
        config: the whole config.
        folder: the run's folder.
        resumed: checkpoint to go on from, or None.

    Returns:
        Figures of the best checkpoint, by ``part/name``.
    """
    _quiet()
    # Everything that can be refused is refused before a picture is decoded.
    refuse_misplaced_values(config)
    recipe = build_recipe(config)
    # A resumed run has all that it started from in its checkpoint; the file may be gone, or another by now.
    fresh = resumed is None and config.model.weights is not None
    weights = read_weights(config.model.weights) if fresh else None
    refuse_nonsense(config, recipe.miner, recipe.loss, weights)
    L.seed_everything(config.seed, verbose=False)
    budget = Budget(config.trainer.minutes, config.trainer.steps)
    origin = origin_of(plain(config))
    clock = TrainingClock(budget, instantiate(config.scheduler), config.trainer.log_every_steps)
    where = folder / run_folder.LAST.parent
    rules = config.checkpoint
    checkpoints = Checkpoints(where, config.monitor, rules.every_seconds, rules.best_from, clock)
    known = read_card(read_checkpoint(resumed)) if resumed is not None else weights and weights.card
    data = prepare_data(config, known)

    card = build_card(config, data)
    if known is not None:
        take_over(known, card)
    embedder = card.build(config.model.freeze)
    if weights is not None:
        load_weights(embedder, weights)
    card.precision = precision_of(config, embedder, data, resumed)
    lay_out(embedder)
    module = build_module(embedder, card, data, recipe)
    step = None if resumed is None else int(read_checkpoint(resumed)["global_step"])
    callbacks = [*recipe.callbacks, SeededSteps(config.seed), clock, ValidationLines(budget), checkpoints]
    trainer = build_trainer(config, folder, card.precision, callbacks, recipe.logger, step)
    # Only now, that a refused run leaves a folder as it was.
    run_folder.write_atomically(folder / run_folder.CONFIG, OmegaConf.to_yaml(config, resolve=True))
    _tell_where(folder)
    _run(trainer, module, data, resumed)
    # Now: scoring loads the best checkpoint, and with it what was spent until then.
    best = read_checkpoint(checkpoints.best_path)["global_step"]
    run_folder.write_facts(folder, {**origin, **_spent(budget, best), **_size(embedder, card)})
    return score_best(trainer, module, data, checkpoints.best_path, config.test)


def _spent(budget: Budget, best: int) -> dict[str, object]:
    log.info(
        "trained %d steps in %.0f s; the best is step %d", budget.steps_spent, budget.seconds_spent, best
    )
    return {
        "steps": budget.steps_spent,
        "seconds": round(budget.seconds_spent, 1),
        "images_per_second": round(budget.images_spent / budget.seconds_spent, 1),
        "best_step": best,
    }


def _size(embedder: Embedder, card: ModelCard) -> dict[str, object]:
    weights = sum(weight.numel() for weight in embedder.parameters())
    return {"parameters": weights, "precision": card.precision}


def _run(trainer: L.Trainer, module: L.LightningModule, data: FaceDataModule, resumed: Path | None) -> None:
    """Trains until the budget is spent; where a signal stops it, says how to go on, and ends the process."""
    try:
        trainer.fit(module, datamodule=data, ckpt_path=resumed, weights_only=True)
    except StoppedBySignal as stop:
        log.info("%s at step %d; resume=auto goes on from %s", stop, trainer.global_step, stop.path)
        sys.exit(128 + stop.signum)


def prepare_data(config: DictConfig, known: ModelCard | None) -> FaceDataModule:
    """The pictures, packed, once the listing has passed all checks.

    Args:
        config: the whole config.
        known: the card of what the run goes on from, or None.
    """
    data = build_data(config.data, config)
    if known is not None:
        refuse_people(known, data)
    warning = _check_resolution(config, data.source, data.listed.parts)
    if warning:
        log.warning("%s", warning)
    data.setup()
    if known is not None:
        refuse_pictures(known, data)
    # Some may not have decoded, or repeat others.
    if any(len(data.parts[part]) < len(numbers) for part, numbers in data.listed.parts.items()):
        _check_resolution(config, data.faces, data.parts)
    log.info("%s", describe(data))
    return data


def _check_resolution(config: DictConfig, table: Table, parts: Mapping[str, IntArray]) -> str | None:
    scored = ("val", "test") if config.test else ("val",)
    impostors = {part: count_impostor_pairs(table.identities[parts[part]]) for part in scored}
    asked = fars_asked_for(HydraConfig.get().overrides.task)
    return check_resolution(impostors, list(config.metrics.fars), asked, config.monitor)


def precision_of(config: DictConfig, embedder: Embedder, data: FaceDataModule, resumed: Path | None) -> str:
    """The arithmetic: that of the run gone on with, else what the config says or a probe finds."""
    if resumed is not None:
        return read_card(read_checkpoint(resumed)).precision
    images = next(iter(data.train_dataloader())).images
    device = choose_device(config.trainer.accelerator, "trainer.accelerator")
    return choose_precision(config.trainer.precision, embedder, images, device)


def describe(data: FaceDataModule) -> str:
    """A line on what is trained, validated and tested on."""
    sizes = []
    for part, numbers in data.parts.items():
        people = len(set(data.faces.identities[numbers].tolist()))
        sizes.append(f"{part} {len(numbers):,} images of {people:,} identities")
    return f"{data.source.name}: " + ", ".join(sizes)


def _checkpoint_to_resume(config: DictConfig, folder: Path) -> Path | None:
    """The checkpoint in this folder that the run goes on from, where resume=auto."""
    resume = config.resume == "auto"
    path = run_folder.checkpoint_to_resume(folder, plain(config), resume)
    if path is not None:
        log.info("resume=auto: going on from step %d in %s", read_checkpoint(path)["global_step"], folder)
    elif resume and not run_folder.is_finished(folder):
        log.info("resume=auto: no unfinished run of this config, starting anew")
    return path


def _tell_where(folder: Path) -> None:
    log.info("run folder   %s", folder)
    log.info("TensorBoard  %s -m tensorboard.main --logdir %s", _shown(Path(sys.executable)), folder.parent)


def _shown(path: Path) -> str:
    """A path as one would type it from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _quiet() -> None:
    """Silences what Lightning says of settings that are meant."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for text in MEANT:
        warnings.filterwarnings("ignore", text)


if __name__ == "__main__":
    main()
