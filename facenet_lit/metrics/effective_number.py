"""How many equal ones unequal weights are worth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# Effective identities: of fewer a rate is about a handful of people, and a bootstrap of them tells too little.
ENOUGH = 30


def effective_number(weights: npt.ArrayLike) -> float:
    """(sum w)^2 / sum w^2: Kish's effective sample size (Survey Sampling, 1965); 0 where nothing weighs anything.

    Args:
        weights: (N,) 0 or more each.
    """
    values = np.asarray(weights, np.float64)
    squares = float(np.square(values).sum())
    return float(values.sum()) ** 2 / squares if squares > 0 else 0.0
