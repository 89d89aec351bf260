"""Shows the pairs of ``val`` that the fixed threshold decides most wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import lightning as L
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from facenet_lit.callbacks.drawing import DrawingCallback, Moment
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.errors import check_integer
from facenet_lit.metrics.hardest_pairs import FoundPairs, hardest_pairs
from facenet_lit.metrics.rates import far, tar
from facenet_lit.metrics.scored_pairs import ScoredPairs
from facenet_lit.plots.picture_pairs import PicturePair, draw_pairs
from facenet_lit.sources.pack_files import Pack
from facenet_lit.verification_module import VerificationModule


class HardestErrors(DrawingCallback):
    """The hardest false accepts and false rejects of ``val``, as pairs of pictures.

    Args:
        count: most pairs of each kind, 1 to 40.
        share: greatest share of a run's time that finding and drawing them takes.

    Raises:
        UserError: one is out of range.
    """

    def __init__(self, count: int, share: float) -> None:
        super().__init__("callbacks.errors", share)
        self.count = check_integer("callbacks.errors.count", count, 1, 40)

    def figures(
        self, trainer: L.Trainer, module: VerificationModule, moment: Moment
    ) -> Iterator[tuple[str, Figure]]:
        """See :class:`DrawingCallback`; of ``val`` alone: who looks at errors of ``test`` begins to choose by them."""
        metric, data = module.metric("val"), cast(object, getattr(trainer, "datamodule", None))
        if moment.part != "val" or metric.pairs is None or not isinstance(data, FaceDataModule):
            return
        impostor, genuine = hardest_pairs(*metric.collected()[:3], self.count)
        accepts, rejects = _told(metric.pairs, metric.threshold)
        wrong = impostor.distances.astype(np.float64) < metric.threshold
        title = f"Hardest false accepts of {moment.words}"
        yield "false_accepts", draw_pairs(_pictures(impostor, wrong, data.faces), title, accepts)
        wrong = genuine.distances.astype(np.float64) >= metric.threshold
        title = f"Hardest false rejects of {moment.words}"
        yield "false_rejects", draw_pairs(_pictures(genuine, wrong, data.faces), title, rejects)


def _told(pairs: ScoredPairs, threshold: float) -> tuple[str, str]:
    """How many pairs are wrongly accepted, and how many wrongly rejected, in words."""
    impostor, genuine = len(pairs.impostor), len(pairs.genuine)
    accepted = round((far(pairs, threshold) or 0.0) * impostor)
    rejected = genuine - round((tar(pairs, threshold) or 0.0) * genuine)
    return (
        f"{accepted:,} of {impostor:,} impostor pairs are closer than {threshold:g}, these the most",
        f"{rejected:,} of {genuine:,} genuine pairs are not closer than {threshold:g}, these the least",
    )


def _pictures(found: FoundPairs, chosen: npt.NDArray[np.bool_], faces: Pack) -> list[PicturePair]:
    """The chosen ones of some pairs, with their pictures as the network gets them in evaluation."""
    result = []
    for pair, distance in zip(found.numbers[chosen], found.distances[chosen], strict=True):
        one, other = faces.images[pair]
        first, second = (faces.names[person] for person in faces.identities[pair])
        result.append(PicturePair((one, other), (first, second), float(distance)))
    return result
