"""Draws the ROC and DET curves and the distances of each part that is evaluated."""

from __future__ import annotations

from collections.abc import Iterator

import lightning as L
from matplotlib.figure import Figure

from facenet_lit.callbacks.drawing import DrawingCallback, Moment
from facenet_lit.errors import check_integer
from facenet_lit.plots.curves import draw_det, draw_roc
from facenet_lit.plots.histograms import draw_distances
from facenet_lit.verification_module import VerificationModule


class VerificationPlots(DrawingCallback):
    """The ROC and DET curves over pairs and balanced, and the distances of both kinds of pairs with the threshold.

    Args:
        points: most points of a curve, 3 or more: both corners, and what lies between.
        share: greatest share of a run's time that drawing takes.

    Raises:
        UserError: one is out of range.
    """

    def __init__(self, points: int, share: float) -> None:
        super().__init__("callbacks.curves", share)
        self.points = check_integer("callbacks.curves.points", points, 3)

    def figures(
        self, trainer: L.Trainer, module: VerificationModule, moment: Moment
    ) -> Iterator[tuple[str, Figure]]:
        """See :class:`DrawingCallback`."""
        metric = module.metric(moment.part)
        if metric.pairs is not None and metric.pairs.has_both_kinds:
            drawn, bounds, words = (
                (metric.pairs, self.points, metric.fars),
                module.bounds_of(moment.part),
                moment.words,
            )
            yield "roc", draw_roc(*drawn, f"ROC of {words}", bounds)
            yield "det", draw_det(*drawn, f"DET of {words}", bounds)
            yield "distances", draw_distances(metric.pairs, metric.threshold, f"Distances of {words}", bounds)
