"""Lightning's Trainer for a run, its settings checked, and the device it trains on."""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path

import lightning as L
import torch
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.loggers import Logger
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.utilities import rank_zero_only
from omegaconf import DictConfig

from facenet_lit.callbacks.progress_bar import ProgressBar
from facenet_lit.errors import UserError, check_choice, check_flag, check_integer, check_number
from facenet_lit.places import Place
from facenet_lit.precision import PRECISIONS
from facenet_lit.recipe import LoggerFactory

# What Lightning warns of and is meant: batches come from memory, so workers would only cost; a resumed
# sampler goes on where it was, though Lightning cannot see that.
MEANT = (
    ".*does not have many workers.*",
    ".*LeafSpec.*",
    ".*smaller than the logging interval.*",
    ".*in eval mode at the start of training.*",  # a frozen backbone
    ".*your dataloader is not resumable.*",
    ".*broadcast_buffers.* is deprecated.*",  # by torch 2.13; older ones know no other
    ".*have no logger configured.*",  # ~logger
    ".*recommended to use .*sync_dist=True.*",  # figures are the same on every process already
)


def build_trainer(
    config: DictConfig,
    folder: Path,
    precision: str,
    callbacks: list[L.Callback],
    logger: LoggerFactory | None,
    step: int | None,
    place: Place | None = None,
    batches: int | None = None,
) -> L.Trainer:
    """Lightning's Trainer: it loops until the clock says stop.

    Args:
        config: the whole config.
        folder: the run's folder.
        precision: ``32`` or ``bf16``.
        callbacks: in the order in which they are called.
        logger: makes the logger, or None.
        step: the step that a resumed run goes on from, None for a new one: what the event files hold beyond
            it is of steps that are done again.
        place: of this process among several that train together, or None.
        batches: how many of an epoch are trained on, None for all.
    """
    settings = config.trainer
    bar = sys.stdout.isatty()  # where rich draws
    pace = settings.log_every_steps if settings.accelerator == "gpu" else 1
    return L.Trainer(
        accelerator=settings.accelerator,
        devices=1 if place is None else place.local_world,
        num_nodes=1 if place is None else place.world // place.local_world,
        strategy="auto" if place is None else _together(settings.accelerator),
        plugins=[StartedProcesses(place) if place else LightningEnvironment()],  # not what it finds itself
        sync_batchnorm=place is not None and settings.accelerator == "gpu",
        precision=PRECISIONS[precision],  # type: ignore[arg-type]
        max_epochs=-1,
        limit_train_batches=batches,
        accumulate_grad_batches=settings.accumulate,
        val_check_interval=settings.val_every_steps * settings.accumulate,
        check_val_every_n_epoch=None,
        log_every_n_steps=settings.log_every_steps,
        gradient_clip_val=settings.gradient_clip,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=bar,
        logger=_loggers(logger, folder, step),
        callbacks=[*callbacks, *([ProgressBar(pace)] if bar else [])],
        default_root_dir=folder,
    )


def _loggers(logger: LoggerFactory | None, folder: Path, step: int | None) -> list[Logger]:
    purge_step = 0 if step is None else step + 1
    return [] if logger is None else [logger(save_dir=str(folder), purge_step=purge_step)]


def batches_of_whole_steps(batches: int, accumulate: int) -> int:
    """How many of an epoch's batches make whole steps: what is left over is not trained on.

    Raises:
        UserError: not even one.
    """
    if batches < accumulate:
        raise UserError(
            f"trainer.accumulate={accumulate}: expected at most the batches of an epoch, here {batches}"
        )
    return batches - batches % accumulate


def _together(accelerator: str) -> DDPStrategy:
    """Processes that average their gradients."""
    # Buffers are the same everywhere already: BatchNorms share their statistics.
    backend = "gloo" if accelerator == "cpu" else "cpu:gloo,cuda:nccl"
    return DDPStrategy(process_group_backend=backend, broadcast_buffers=False)


class StartedProcesses(ClusterEnvironment):
    """Tells Lightning of processes that are there and have met.

    Args:
        place: where this one stands.
    """

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place

    @property
    def creates_processes_externally(self) -> bool:
        """Lightning need not."""
        return True

    @property
    def main_address(self) -> str:
        """Asked for only where processes haven't met."""
        return self._place.meeting

    @property
    def main_port(self) -> int:
        """Likewise."""
        return 0

    @staticmethod
    def detect() -> bool:
        """Never: it is named, not looked for."""
        return False

    def world_size(self) -> int:
        """Number of processes."""
        return self._place.world

    def set_world_size(self, size: int) -> None:
        """It is known."""

    def global_rank(self) -> int:
        """This one's number."""
        return self._place.rank

    def set_global_rank(self, rank: int) -> None:
        """It is known; Lightning's words of the first process alone go by it."""
        setattr(rank_zero_only, "rank", self._place.rank)  # noqa: B010 - a function has no such attribute, says its type

    def local_rank(self) -> int:
        """This one's number on its machine."""
        return self._place.local_rank

    def node_rank(self) -> int:
        """The machine's number."""
        return self._place.node


def check_trainer(settings: DictConfig) -> None:
    """Checks what :func:`build_trainer` takes, so that it is refused before a picture is decoded.

    Raises:
        UserError: a setting is out of range.
    """
    choose_device(settings.accelerator, "trainer.accelerator")
    devices = check_integer("trainer.devices", settings.devices, 1)
    if settings.accelerator == "gpu" and devices > torch.cuda.device_count():
        raise UserError(
            f"trainer.devices={devices}: torch sees {torch.cuda.device_count()} CUDA devices here"
        )
    check_choice("trainer.precision", str(settings.precision), ("auto", *PRECISIONS))
    check_integer("trainer.val_every_steps", settings.val_every_steps, 1)
    check_integer("trainer.log_every_steps", settings.log_every_steps, 1)
    check_integer("trainer.accumulate", settings.accumulate, 1)
    check_flag("trainer.compile", settings.compile)
    if settings.chunk is not None:
        check_integer("trainer.chunk", settings.chunk, 2)
    if settings.gradient_clip is not None:
        check_number("trainer.gradient_clip", settings.gradient_clip, above=True)


def choose_device(accelerator: str, name: str) -> torch.device:
    """The device of an accelerator.

    Args:
        accelerator: ``cpu`` or ``gpu``.
        name: the setting's, as the user writes it.

    Raises:
        UserError: it is not there.
    """
    check_choice(name, accelerator, ("cpu", "gpu"))
    if accelerator == "gpu" and not torch.cuda.is_available():
        raise UserError(
            f"{name}=gpu: torch sees no CUDA device here; say {name}=cpu, or install a CUDA torch"
        )
    return torch.device("cuda" if accelerator == "gpu" else "cpu")


def quiet_lightning() -> None:
    """Silences what Lightning says of settings that are meant."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for text in MEANT:
        warnings.filterwarnings("ignore", text)
