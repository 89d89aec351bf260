"""Tells each dashboard what a run is: its config, and a row of its settings and final figures."""

from __future__ import annotations

import lightning as L

from facenet_lit import gathering
from facenet_lit.callbacks.checkpoints import Checkpoints
from facenet_lit.callbacks.embedding_health import Diverged, ended_by
from facenet_lit.loggers.dashboard import Settings, dashboards
from facenet_lit.metrics.bounds import ENDS
from facenet_lit.metrics.figures import BALANCED, tar_at_far_name
from facenet_lit.verification_module import VerificationModule

# Of the best checkpoint, scored again after the run: what is named ``val/`` alone are points of a curve.
BEST = "val_best/"


class RunRecord(L.Callback):
    """Writes the config and the settings as a new run begins, the best checkpoint's figures as it ends.

    A resumed run has them already.

    Args:
        config: the resolved config, as YAML.
        row: the settings that the row shows.
        checkpoints: they know the monitor, and whether there is a best one to score.
        test: whether ``test`` is scored.
    """

    def __init__(self, config: str, row: Settings, checkpoints: Checkpoints, test: bool) -> None:
        self.config = config
        self.row = row
        self.checkpoints = checkpoints
        self.test = test
        self._ended_by: str | None = None

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Writes what is known before."""
        if trainer.global_step or gathering.rank() != gathering.FIRST:
            return
        for logger in dashboards(trainer.loggers):
            logger.show_text("config", f"```yaml\n{self.config}```\n")
            if isinstance(pl_module, VerificationModule):
                logger.begin_row(self.row, self.figures(pl_module))

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Writes the row's figures of ``val``."""
        if trainer.state.fn != "validate" or not isinstance(pl_module, VerificationModule):
            return
        names = [name.removeprefix(BEST) for name in self.figures(pl_module) if name.startswith(BEST)]
        found = {f"{BEST}{name}": pl_module.figures.get(f"val/{name}") for name in names}
        known = {name: value for name, value in found.items() if value is not None}
        for logger in trainer.loggers:
            logger.log_metrics(known, step=trainer.global_step)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Notes the illness that ended the run: scoring gives callbacks the state of the best checkpoint."""
        self._ended_by = ended_by(trainer.callbacks)  # type: ignore[attr-defined]

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """The same of a run that diverged, whose row ends here where nothing will be scored."""
        if isinstance(exception, Diverged):
            self.on_train_end(trainer, pl_module)
            if self.checkpoints.best is None:
                self._end_row(trainer)

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Ends the row when all is scored."""
        if stage == ("test" if self.test else "validate"):
            self._end_row(trainer)

    def figures(self, module: VerificationModule) -> list[str]:
        """The names of the row's figures: those of ``test``, or of ``val`` where that is the last that is scored.

        The first of them, by which runs are put in order, has its bounds beside it.
        """
        metric, first = module.metric("test"), "eer" + BALANCED
        told = [
            first,
            *([first + end for end in ENDS] if metric.replicates[False] else []),
            "eer",
            "tar",
            "far",
        ]
        told += [tar_at_far_name(f) for f in metric.fars]
        part = "test/" if self.test else BEST
        names = [f"{part}{name}" for name in told]
        return list(dict.fromkeys([BEST + self.checkpoints.monitor.removeprefix("val/"), *names]))

    def _end_row(self, trainer: L.Trainer) -> None:
        if gathering.rank() == gathering.FIRST:
            for logger in dashboards(trainer.loggers):
                logger.end_row(self.row, self._ended_by)
