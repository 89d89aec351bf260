"""``python -m facenet_lit.train``: trains an embedder and tells how good it is on people it never saw."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import lightning as L
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from facenet_lit import gathering, report, run_folder
from facenet_lit.backbones.embedder import Embedder
from facenet_lit.backbones.synced_batch_norm import refuse_odd_batch_norms, sync_batch_norms
from facenet_lit.building import build_card, build_module
from facenet_lit.callbacks.checkpoints import StoppedBySignal
from facenet_lit.callbacks.embedding_health import Diverged
from facenet_lit.checkpoint import newest_whole, read_card, read_checkpoint
from facenet_lit.command_line import fail, start, user_error
from facenet_lit.compilation import compile_backbone
from facenet_lit.composing import one_line
from facenet_lit.config_values import plain
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.errors import UserError, check_choice
from facenet_lit.fine_tuning import take_over
from facenet_lit.job import Job
from facenet_lit.kept_memory import keep_freed_memory
from facenet_lit.lightning_trainer import batches_of_whole_steps, build_trainer, quiet_lightning
from facenet_lit.own_callbacks import own_callbacks
from facenet_lit.places import Place, place_of
from facenet_lit.precision import lay_out
from facenet_lit.prepared_data import precision_of, prepare_data
from facenet_lit.processes import crew, follow, lead, leading
from facenet_lit.provenance import origin_of
from facenet_lit.recipe import Recipe, build_recipe
from facenet_lit.run_facts import facts_of
from facenet_lit.scoring import score_best
from facenet_lit.start_checks import refuse_misplaced_values, refuse_nonsense
from facenet_lit.weights import Weights, load_weights, read_weights

log = logging.getLogger(__name__)

ILL = 3  # exit code of a run that callbacks.health.stop=true ended; its best checkpoint is scored, if there is one

Checked = tuple[Recipe, Weights | None]  # what trains, and the weights that it starts from


def main() -> None:
    """The entry point, of the first process; others that were started with it take part."""
    place = started_at()
    if place is not None and place.rank != gathering.FIRST:
        follow(place, take_part)
    with nullcontext() if place is None else leading(place):
        start("train", train)


def started_at() -> Place | None:
    """Where this process stands among those that were started with it, None where it is by itself."""
    try:
        return place_of(os.environ)
    except UserError as error:
        fail(error)


def train(config: DictConfig) -> float | None:
    """Trains in a folder that Hydra made, and leaves metrics.json there.

    Returns:
        The monitored figure of the best checkpoint, which a sweeper may look for the best of.
    """
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    if config.resume is not None:
        check_choice("resume", config.resume, ("auto",))
    place = place_of(os.environ)
    with run_folder.locked(folder):
        resumed = _checkpoint_to_resume(config, folder)
        if run_folder.is_over(folder):
            how = "finished" if run_folder.is_finished(folder) else "which embedding health ended"
            log.info("resume=auto: %s holds this run, %s; nothing is left to do", folder, how)
        else:
            checked = _check(config, resumed)
            with crew(config.trainer.devices, place) as place:
                job = Job(config, folder, resumed, plain(hydra.runtime.choices), tuple(hydra.overrides.task))
                with lead(job.message()):
                    figures = fit(job, checked, place)
            _finish(config, folder, figures)
        # Not of the callbacks: scoring has given them the state of the best checkpoint.
        ill = run_folder.ended_by(folder) is not None
        if ill and hydra.mode != RunMode.MULTIRUN:  # whose other jobs are to go on
            sys.exit(ILL)
        return run_folder.read_metrics(folder).get(config.monitor)


def take_part(message: Mapping[str, Any], place: Place) -> None:
    """What :func:`train` does, of the other processes: no files, no words."""
    try:
        job = Job.of(message)
        fit(job, _check(job.config, job.resumed), place)
    except Exception as error:
        cause = user_error(error)
        if cause is None:
            raise
        raise UserError(one_line(cause)) from error


def _check(config: DictConfig, resumed: Path | None) -> Checked:
    """Refuses everything that can be refused before a picture is decoded.

    Returns:
        What trains, and the weights that it starts from.
    """
    refuse_misplaced_values(config)
    recipe = build_recipe(config)
    # A resumed run has all that it started from in its checkpoint; the file may be gone, or another by now.
    fresh = resumed is None and config.model.weights is not None
    weights = read_weights(config.model.weights) if fresh else None
    refuse_nonsense(config, recipe.miner, recipe.loss, weights)
    return recipe, weights


def fit(job: Job, checked: Checked, place: Place | None = None) -> dict[str, float | None]:
    """Trains, then scores the best checkpoint.

    Args:
        job: what is to be done.
        checked: what trains, and the weights that it starts from, or None.
        place: of this process among several that train together, or None.

    Returns:
        Figures of the best checkpoint, by ``part/name``; none where the run diverged before there was one.
    """
    config, folder, resumed = job.config, job.folder, job.resumed
    quiet_lightning()
    recipe, weights = checked
    L.seed_everything(config.seed, verbose=False)
    origin = origin_of(plain(config))
    budget, checkpoints, callbacks = own_callbacks(config, folder, job.row)
    known = read_card(read_checkpoint(resumed)) if resumed is not None else weights and weights.card
    data = prepare_data(config, job.overrides, known)
    card = build_card(config, str(job.choices["data"]), data)
    if known is not None:
        take_over(known, card)
    embedder = card.build(config.model.freeze)
    if weights is not None:
        load_weights(embedder, weights)
    card.precision = gathering.done_by_first(lambda: precision_of(config, embedder, data, resumed))
    lay_out(embedder)
    if place is not None:
        _share_statistics(embedder, config.trainer.accelerator)
    if config.trainer.compile:
        compile_backbone(embedder)
    module = build_module(embedder, card, data, recipe, config.trainer.chunk)
    if card.precision == "64":
        module.double()  # Lightning does it too, after a checkpoint is loaded
    step = None if resumed is None else int(read_checkpoint(resumed)["global_step"])
    callbacks = [*recipe.callbacks, *callbacks]
    batches = batches_of_whole_steps(len(data.train_dataloader()), config.trainer.accumulate)
    trainer = build_trainer(config, folder, card.precision, callbacks, recipe.logger, step, place, batches)
    writes = gathering.rank() == gathering.FIRST
    # Only now, that a refused run leaves a folder as it was.
    if writes:
        run_folder.write_atomically(folder / run_folder.CONFIG, OmegaConf.to_yaml(config, resolve=True))
    _tell_where(config, folder)
    _run(trainer, module, data, resumed)
    # Now: scoring loads the best checkpoint, and with it what was spent until then.
    best = read_checkpoint(checkpoints.best_path)["global_step"] if checkpoints.best is not None else None
    if writes:
        run_folder.write_facts(folder, {**origin, **facts_of(budget, best, callbacks, module)})
    return score_best(trainer, module, data, checkpoints.best_path, config.test) if best is not None else {}


def _share_statistics(embedder: Embedder, accelerator: str) -> None:
    """Lets BatchNorms see the rows of all processes; on GPUs Lightning puts torch's own in."""
    refuse_odd_batch_norms(embedder)
    if accelerator == "cpu":
        sync_batch_norms(embedder)


def _run(trainer: L.Trainer, module: L.LightningModule, data: FaceDataModule, resumed: Path | None) -> None:
    """Trains until the budget is spent, or it diverges; where a signal stops it, says how to go on, and ends."""
    keep_freed_memory()  # each step's arrays are those of the step before
    try:
        trainer.fit(module, datamodule=data, ckpt_path=resumed, weights_only=True)
    except StoppedBySignal as stop:
        log.info("%s at step %d; resume=auto goes on from %s", stop, trainer.global_step, stop.path)
        sys.exit(128 + stop.signum)
    except Diverged:
        pass  # embedding health has told of it


def _finish(config: DictConfig, folder: Path, figures: Mapping[str, float | None]) -> None:
    """Writes the figures, which finishes the run, and tells them."""
    if figures:
        run_folder.write_metrics(folder, figures)
        report.show(report.figures_table(figures, "best checkpoint"))
    _tell_where(config, folder)


def _checkpoint_to_resume(config: DictConfig, folder: Path) -> Path | None:
    """The checkpoint in this folder that the run goes on from, where resume=auto."""
    resume = config.resume == "auto"
    last = run_folder.checkpoint_to_resume(folder, plain(config), resume)
    path = None if last is None else newest_whole((last, last.with_name("best.ckpt")))
    if path is not None:
        log.info("resume=auto: going on from step %d in %s", read_checkpoint(path)["global_step"], folder)
    elif resume and not run_folder.is_over(folder):
        log.info("resume=auto: no unfinished run of this config, starting anew")
    return path


def _tell_where(config: DictConfig, folder: Path) -> None:
    log.info("run folder   %s", folder)
    if "tensorboard" in str(OmegaConf.select(config, "logger._target_")):
        python = _shown(Path(sys.executable))
        log.info("TensorBoard  %s -m tensorboard.main --logdir %s", python, folder.parent)


def _shown(path: Path) -> str:
    """A path as one would type it from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


if __name__ == "__main__":
    main()
