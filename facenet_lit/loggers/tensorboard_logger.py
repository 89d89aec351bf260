"""Lightning's TensorBoard logger, writing into the run's folder itself and only what is worth a panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.tensorboard.summary import hparams

from facenet_lit.loggers.dashboard import Dashboard, Settings
from facenet_lit.preprocessing import Picture


class RunLogger(TensorBoardLogger, Dashboard):
    """Writes event files into ``save_dir`` without subfolders.

    Lightning adds the epoch's number to every metric, a panel that tells nothing and pushes those of ``val``
    out of sight, and an empty hparams.yaml; both are left out.

    Args:
        save_dir: the run's folder.
        purge_step: TensorBoard hides what earlier event files in the folder hold at this step and beyond,
            so that what a killed run drew after its last checkpoint is not drawn twice: one more than the
            checkpoint's step for a resumed run, 0 for a new one. None hides nothing.
    """

    def __init__(self, save_dir: str, purge_step: int | None = None) -> None:
        super().__init__(save_dir, name="", version="", default_hp_metric=False, purge_step=purge_step)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Writes scalars at a step."""
        kept = {name: value for name, value in metrics.items() if name != "epoch"}
        if kept:
            super().log_metrics(kept, step)

    def save(self) -> None:
        """Writes out what is buffered."""
        self.experiment.flush()

    def show_picture(self, name: str, picture: Picture, step: int) -> None:
        """See :class:`Dashboard`."""
        self.experiment.add_image(name, picture, step, dataformats="HWC")

    def show_text(self, name: str, text: str) -> None:
        """See :class:`Dashboard`."""
        self.experiment.add_text(name, text, 0)

    def begin_row(self, settings: Settings, figures: Sequence[str]) -> None:
        """See :class:`Dashboard`; TensorBoard takes the columns of all runs from the first one's."""
        columns, row, _ = hparams(dict(settings), dict.fromkeys(figures, 0.0))
        self._write(columns, row)

    def end_row(self) -> None:
        """See :class:`Dashboard`."""
        self._write(hparams({}, {})[2])

    def _write(self, *summaries: object) -> None:
        # The writer's own method makes a run of its own of each row.
        for summary in summaries:
            self.experiment._get_file_writer().add_summary(summary, 0)
