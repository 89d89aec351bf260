"""Draws the ROC curve of a validation into TensorBoard."""

from __future__ import annotations

import lightning as L
import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from facenet_lit.errors import check_integer
from facenet_lit.metrics.roc import roc
from facenet_lit.metrics.scored_pairs import ScoredPairs
from facenet_lit.verification_module import VerificationModule


class VerificationPlots(L.Callback):
    """The ROC curve, over pairs and balanced, at each validation.

    Args:
        points: most points of a curve, 3 or more: both corners, and what lies between.

    Raises:
        UserError: it is out of range.
    """

    def __init__(self, points: int) -> None:
        self.points = check_integer("callbacks.roc.points", points, 3)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Draws what was just validated."""
        if not isinstance(pl_module, VerificationModule) or trainer.state.fn != "fit":
            return
        pairs = pl_module.scored_pairs("val")
        if pairs is None or not len(pairs.genuine) or not len(pairs.impostor):
            return
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                figure = draw_roc(pairs, self.points)
                logger.experiment.add_figure("val/roc", figure, global_step=trainer.global_step)


def draw_roc(pairs: ScoredPairs, points: int = 400) -> Figure:
    """The ROC curve: TAR over FAR on a logarithmic axis, over pairs and balanced.

    Args:
        pairs: distances of genuine and impostor pairs.
        points: most points of a curve.
    """
    figure = Figure(figsize=(5, 4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for label, balanced in (("over pairs", False), ("balanced", True)):
        curve = roc(pairs, balanced, points)
        if curve is not None:
            axes.plot(curve.far, curve.tar, label=label, linewidth=1.6)
    # Below one impostor pair there is nothing to see.
    least = max(1.0 / len(pairs.impostor), 1e-6)
    diagonal = np.geomspace(least, 1, 100)
    axes.plot(diagonal, diagonal, color="0.7", linewidth=1, linestyle=":", label="by chance")
    axes.set(xscale="log", xlim=(least, 1), ylim=(0, 1.01), xlabel="FAR", ylabel="TAR")
    axes.set_title(f"{len(pairs.genuine):,} genuine, {len(pairs.impostor):,} impostor pairs", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", fontsize=9)  # where a useful network has no curve
    return figure
