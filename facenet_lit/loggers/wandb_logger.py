"""A run in Weights & Biases, on this machine until it is told to send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from facenet_lit.errors import check_choice
from facenet_lit.loggers.dashboard import ENDED_BY, Dashboard, Settings
from facenet_lit.preprocessing import Picture


class RunWandbLogger(WandbLogger, Dashboard):
    """Writes into ``save_dir/wandb``; a resumed run keeps its identifier.

    What a killed run drew after its last checkpoint is drawn a second time, at the same steps: what Weights &
    Biases has, it does not take back.

    Args:
        save_dir: the run's folder.
        purge_step: one more than the step that a resumed run goes on from; 0 or None for a new run.
        project: what it is filed under.
        mode: ``offline``, ``online`` (sends, wants an account) or ``disabled``.
    """

    needs = "wandb"

    @classmethod
    def check(cls, **settings: object) -> None:
        """See :class:`Dashboard`."""
        super().check()
        check_choice("logger.mode", settings.get("mode", "offline"), ("offline", "online", "disabled"))

    def __init__(
        self,
        save_dir: str,
        purge_step: int | None = None,
        project: str = "facenet_lit",
        mode: str = "offline",
    ) -> None:
        folder = Path(save_dir)
        super().__init__(
            name="/".join(folder.parts[-2:]),
            save_dir=str(folder),
            id=_identifier(folder) if purge_step else None,
            project=project,
            mode=mode,
        )

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Writes scalars at a step."""
        kept = {name: value for name, value in metrics.items() if name != "epoch"}
        if kept:
            super().log_metrics(kept, step)

    def show_picture(self, name: str, picture: Picture, step: int) -> None:
        """See :class:`Dashboard`."""
        self.log_image(name, [picture], step)

    def show_text(self, name: str, text: str, step: int = 0) -> None:
        """See :class:`Dashboard`; it stands in the run's overview."""
        self.experiment.config.update({f"text/{name}": text}, allow_val_change=True)

    def begin_row(self, settings: Settings, figures: Sequence[str]) -> None:
        """See :class:`Dashboard`; every scalar is a column there."""
        self.experiment.config.update(dict(settings.values), allow_val_change=True)

    def end_row(self, settings: Settings, ended_by: str | None = None) -> None:
        """See :class:`Dashboard`."""
        if ended_by is not None:
            self.experiment.config.update({ENDED_BY: ended_by}, allow_val_change=True)
        self.experiment.finish()


def _identifier(folder: Path) -> str | None:
    """The identifier of the run that was last written there: its folder's name ends in it."""
    found = sorted((folder / "wandb").glob("*run-*-*"))
    return found[-1].name.rsplit("-", 1)[1] if found else None
