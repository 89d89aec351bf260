"""A short trial of a run's network: what it sees, whether it learns one batch, how fast it is."""

from __future__ import annotations

import os
from typing import NamedTuple

import torch
from omegaconf import DictConfig

from facenet_lit.batch import Batch
from facenet_lit.budget import Budget
from facenet_lit.building import build_card, build_module
from facenet_lit.checks.finding import Finding
from facenet_lit.checks.gallery import rows_of_people, rows_of_triplets
from facenet_lit.checks.html_page import Pictures
from facenet_lit.checks.one_batch import ROWS, check_fit, fit_one_batch
from facenet_lit.checks.people import images_of_identities
from facenet_lit.checks.pixels import check_pixels, describe_pixels
from facenet_lit.checks.speed import Pace, check_speed, seconds_of_loading, seconds_of_steps
from facenet_lit.checks.training_steps import TrainingSteps, as_trained, first_rows
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.fine_tuning import take_over
from facenet_lit.lightning_trainer import choose_device
from facenet_lit.precision import lay_out
from facenet_lit.prepared_data import precision_of
from facenet_lit.recipe import Recipe
from facenet_lit.weights import Weights, load_weights

MOST_IMAGES = 256  # whose pixels are looked at
# For which loader and network are timed.
LOADER_SECONDS, NETWORK_SECONDS = 3.0, 6.0


class Trial(NamedTuple):
    """A network that is tried for a while.

    Attributes:
        taking: what takes steps with it.
        precision: the arithmetic.
        batches: a few of the first epoch, as the loader gives them.
        load: seconds in which it makes one.
    """

    taking: TrainingSteps
    precision: str
    batches: list[Batch]
    load: float

    def as_trained(self, data: FaceDataModule, number: int) -> Batch:
        """A batch as a step gets it."""
        return as_trained(self.batches[number], data.augmentation, data.seed, self.taking.device)


def prepare_trial(
    config: DictConfig, data_choice: str, data: FaceDataModule, recipe: Recipe, weights: Weights | None
) -> Trial:
    """Builds the network as training does, and has the loader give a few batches.

    Args:
        config: the whole config.
        data_choice: the option of the group ``data``.
        data: set up.
        recipe: what would train.
        weights: that it starts from, or None.
    """
    card = build_card(config, data_choice, data)
    if weights is not None and weights.card is not None:
        take_over(weights.card, card)
    embedder = card.build(config.model.freeze)
    if weights is not None:
        load_weights(embedder, weights)
    precision = precision_of(config, embedder, data, None)
    lay_out(embedder)
    module = build_module(embedder, card, data, recipe, config.trainer.chunk)
    if precision == "64":
        module.double()
    device = choose_device(config.trainer.accelerator, "trainer.accelerator")
    taking = TrainingSteps(module, precision, device, config.seed, config.trainer.gradient_clip)
    few = -(-MOST_IMAGES // data.batch_size)
    load, batches = seconds_of_loading(data.train_dataloader(), LOADER_SECONDS, few)
    return Trial(taking, precision, batches, load)


def look_at_training(
    config: DictConfig, data: FaceDataModule, trial: Trial, budget: Budget
) -> tuple[list[Finding], Pictures]:
    """What the network sees, learns and takes, and the pictures of it."""
    taking = trial.taking
    batches = [trial.as_trained(data, number) for number in range(len(trial.batches))]
    images = torch.cat([batch.images for batch in batches])[:MOST_IMAGES]
    pixels = describe_pixels(taking.module.embedder.pixels(images))
    batch = first_rows(batches[0], ROWS)
    triplets = taking.triplets(batch)
    fit = fit_one_batch(taking, batch)
    step = seconds_of_steps(lambda: taking.step(trial.as_trained(data, 0)), NETWORK_SECONDS)
    pace = Pace(len(batches[0].numbers), trial.load, step, at_once=data.workers > 0)
    findings = [
        check_pixels(pixels, data.normalize, len(images), taking.circumstances),
        check_fit(fit, taking.circumstances),
        check_speed(
            pace, len(data.train_dataloader()), budget, config.trainer.accumulate, _apart(config.trainer)
        ),
    ]
    faces, miner = data.faces, taking.module.miner.name
    pictures = Pictures(
        people=rows_of_people(batches, faces.names, faces.files),
        triplets=rows_of_triplets(batch, triplets, faces.files),
        drawn="as drawn" if batch.triplets is not None else f"by miner={miner}, before training",
        images=images_of_identities(faces.identities[data.parts["train"]]),
        pixels=pixels,
        fit=fit,
    )
    return findings, pictures


def _apart(trainer: DictConfig) -> list[str]:
    """What to know of the speed here: in what the steps differ from those of the run, and who else computes."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    return [
        *(["without torch.compile"] if trainer.compile else []),
        *(["at the whole size of the images"] if trainer.grow_from is not None else []),
        *(["in one process"] if trainer.devices > 1 else []),
        *([f"beside other work (a load of {load:.0f} on {cores} cores)"] if load > cores + 1 else []),
    ]
