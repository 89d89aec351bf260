"""``python -m facenet_lit.doctor``: looks at data and settings before a long run, and says what to mend."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import lightning as L
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from facenet_lit import report
from facenet_lit.budget import Budget
from facenet_lit.building import build_data
from facenet_lit.checks.epoch_triplets import check_epoch, count_by_rules
from facenet_lit.checks.finding import Finding, Verdict, worst
from facenet_lit.checks.html_page import html_page
from facenet_lit.checks.labels import check_labels
from facenet_lit.checks.leaks import check_leaks, find_all, unlogged
from facenet_lit.checks.people import check_people, count_people
from facenet_lit.checks.pictures import check_pictures, find_flat
from facenet_lit.checks.resolving import check_fars
from facenet_lit.checks.terminal_page import terminal_page
from facenet_lit.command_line import start
from facenet_lit.data.audit import MEND_SPLIT, SPLIT_PEOPLE
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.errors import UserError
from facenet_lit.fine_tuning import ADVICE
from facenet_lit.folder_checks import refuse_unwritable
from facenet_lit.lightning_trainer import batches_of_whole_steps, quiet_lightning
from facenet_lit.loggers.dashboard import Settings
from facenet_lit.own_callbacks import own_callbacks
from facenet_lit.places import place_of
from facenet_lit.recipe import Recipe, build_recipe, read_fars
from facenet_lit.resolution_checks import check_resolution, count_impostor_pairs, fars_asked_for
from facenet_lit.run_folder import write_atomically
from facenet_lit.start_checks import refuse_misplaced_values, refuse_nonsense
from facenet_lit.trial import Trial, look_at_training, prepare_trial
from facenet_lit.weights import Weights, read_weights

ILL = 1  # the exit code where something is to be mended first


def main() -> None:
    """The entry point."""
    start("doctor", doctor, keeps_folder=False)


def doctor(config: DictConfig) -> None:
    """Looks, tells, and ends with code 1 where a check says stop."""
    page = page_path(config.html)
    recipe, weights, budget = checked(config)
    quiet_lightning()
    L.seed_everything(config.seed, verbose=False)
    data, allowed = open_data(config)
    findings = look_at_data(config, data, weights, allowed)
    trial = prepare_trial(config, HydraConfig.get().runtime.choices["data"], data, recipe, weights)
    learnt, pictures = look_at_training(config, data, trial, budget)
    findings += [*learnt, look_at_rates(config, data)]
    title = title_of(config, trial)
    report.show(terminal_page(title, findings))
    if page is not None:
        write_atomically(page, html_page(title, findings, pictures))
        print(f"page  {page}")
    if worst(findings) is Verdict.STOP:
        sys.exit(ILL)


def page_path(html: object) -> Path | None:
    """Where the page with pictures goes, None for nowhere.

    Raises:
        UserError: it can't be written there.
    """
    if html is None:
        return None
    if not isinstance(html, str) or not html or Path(html).is_dir():
        raise UserError(f"html={html}: expected a file to write, such as html=doctor.html")
    path = Path(html).expanduser()
    refuse_unwritable(path.parent)
    return path


def checked(config: DictConfig) -> tuple[Recipe, Weights | None, Budget]:
    """What would train, the weights that it starts from, and what it may spend; refused where training refuses."""
    if place_of(os.environ) is not None:
        raise UserError("several processes were started: the doctor looks in one; start it by itself")
    refuse_misplaced_values(config)
    recipe = build_recipe(config)
    weights = None if config.model.weights is None else read_weights(config.model.weights)
    refuse_nonsense(config, recipe.miner, recipe.loss, weights)
    budget, _, _ = own_callbacks(config, Path(), Settings({}))
    return recipe, weights, budget


def open_data(config: DictConfig) -> tuple[FaceDataModule, bool]:
    """The data, packed as training packs it, whatever leaks; and whether ``data.allow_leak`` was said."""
    data = build_data(config.data, config)
    allowed, data.allow_leak = data.allow_leak, True
    with unlogged():
        batches_of_whole_steps(data.listed and data.batches, config.trainer.accumulate)
        data.setup()
    return data, allowed


def look_at_data(
    config: DictConfig, data: FaceDataModule, weights: Weights | None, allowed: bool
) -> list[Finding]:
    """What can be told without a network."""
    source, faces = data.source.identities, data.faces
    parts = {part: faces.identities[numbers] for part, numbers in data.parts.items()}
    crowds = {part: count_people(identities) for part, identities in parts.items()}
    judged = {part: crowds[part] for part in _scored(config)}
    known = weights and weights.card
    advice = SPLIT_PEOPLE if data.split == "triplets" else ADVICE if known else MEND_SPLIT
    return [
        check_people({"whole source": count_people(source), **crowds}, judged),
        check_epoch(
            count_by_rules(source),
            count_by_rules(parts["train"]),
            config.sampler.get("removal"),
            len(data.train_dataloader()),
            data.batch_size,
        ),
        check_leaks(find_all(data, known), allowed, advice, len(faces.files), len(faces.names)),
        check_labels(faces.identities, faces.files, faces.fingerprints),
        check_pictures(*find_flat(faces.images), faces.files, faces.left_out),
    ]


def look_at_rates(config: DictConfig, data: FaceDataModule) -> Finding:
    """Which FARs the parts resolve; what training would refuse there, it says."""
    impostors = {
        part: count_impostor_pairs(data.faces.identities[data.parts[part]]) for part in _scored(config)
    }
    fars, refusal = read_fars(config.metrics), None
    try:
        check_resolution(impostors, fars, fars_asked_for(HydraConfig.get().overrides.task), config.monitor)
    except UserError as error:
        refusal = str(error)
    return check_fars(impostors, fars, refusal)


def title_of(config: DictConfig, trial: Trial) -> str:
    """What was looked at, in a line."""
    choices = HydraConfig.get().runtime.choices
    named = [
        f"{group}={choices[group]}" for group in ("data", "sampler", "model", "loss", "miner", "optimizer")
    ]
    where = f"{config.data.split}, {config.data.size} px, precision {trial.precision} on {trial.taking.device.type}"
    return f"{' '.join(named)} ({where})"


def _scored(config: DictConfig) -> tuple[str, ...]:
    """The parts that rates are told of."""
    return ("val", "test") if config.test else ("val",)


if __name__ == "__main__":
    main()
