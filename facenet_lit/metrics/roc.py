"""The ROC curve, for plots."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facenet_lit.errors import check_integer
from facenet_lit.metrics.exact_distances import FloatArray
from facenet_lit.metrics.scored_pairs import ScoredPairs


class Roc(NamedTuple):
    """Points of a ROC curve, by ascending threshold: (K,) each, from (0, 0) to (1, 1)."""

    far: npt.NDArray[np.float64]
    tar: npt.NDArray[np.float64]
    thresholds: FloatArray


def roc(pairs: ScoredPairs, balanced: bool = False, points: int = 1000) -> Roc | None:
    """At most ``points`` points of the ROC curve, for plots, with both its ends.

    All of them where there are no more pairs than that; else spread evenly over the genuine pairs and
    logarithmically over the impostor pairs, so that small FARs are drawn as finely as large ones.

    Raises:
        UserError: fewer than 3 points asked for.
    """
    check_integer("points", points, 3)
    if not pairs.has_both_kinds:
        return None
    if len(pairs.genuine) + len(pairs.impostor) < points:
        kept_genuine, kept_impostor = pairs.genuine, pairs.impostor.values()
    else:
        each = (points - 1) // 2
        kept_genuine = pairs.genuine[np.linspace(0, len(pairs.genuine) - 1, each).astype(int)]
        kept_impostor = pairs.impostor.at(np.geomspace(1, len(pairs.impostor), each).astype(int) - 1)
    thresholds = np.append(np.unique(np.concatenate([kept_genuine, kept_impostor])), np.float32(np.inf))
    genuine, impostor = pairs.genuine_counts(balanced), pairs.impostor_counts
    fars = impostor.accepted(thresholds) / impostor.total
    tars = genuine.accepted(thresholds) / genuine.total
    return Roc(fars.astype(np.float64), tars.astype(np.float64), thresholds)
