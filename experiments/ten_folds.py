"""Tells the mean of a figure over the ten networks of LFW's view 2, and its standard error.

    python experiments/ten_folds.py FOLDER [FIGURE]

FOLDER is a sweep's over data.fold=1..10, FIGURE one of its figures; test/accuracy, of each fold's 600 pairs,
unless another is named.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from facenet_lit.data.splits import FOLDS
from facenet_lit.errors import UserError
from facenet_lit.metrics.fold_accuracy import mean_and_standard_error
from facenet_lit.run_folder import CONFIG, METRICS, NOT_COMPARED, read_metrics


def read_folds(sweep: Path, figure: str) -> dict[int, float]:
    """A figure of the finished runs in a sweep's folder, by their folds, ascending.

    Raises:
        UserError: a fold is missing or comes twice, a run is of other settings, or lacks the figure.
    """
    found: dict[int, float] = {}
    settings: list[dict[str, Any]] = []
    for metrics in sorted(sweep.glob(f"*/{METRICS}")):
        run = metrics.parent
        config = yaml.safe_load((run / CONFIG).read_text(encoding="utf-8"))
        fold = config["data"].pop("fold", None)
        settings.append({key: value for key, value in config.items() if key not in NOT_COMPARED})
        told = read_metrics(run).get(figure)
        if config["data"]["split"] != "view2" or settings[-1] != settings[0]:
            raise UserError(
                f"{run}: not of the same view 2 as the others; expected runs that differ in data.fold"
            )
        if told is None:
            raise UserError(
                f"{run}: no {figure} in its {METRICS}; name another figure, or train with test=true"
            )
        if fold in found:
            raise UserError(f"{run}: fold {fold} comes twice; expected a run for each; take one out")
        found[fold] = told
    missing = [str(fold) for fold in range(1, FOLDS + 1) if fold not in found]
    if missing:
        raise UserError(
            f"{sweep}: no finished run of fold {', '.join(missing)}; run the sweep with resume=auto"
        )
    return dict(sorted(found.items()))


def main(sweep: Path, figure: str = "test/accuracy") -> None:
    """Prints each fold's figure, their mean and its standard error."""
    folds = read_folds(sweep, figure)
    for fold, value in folds.items():
        print(f"fold {fold:2d}  {value:.4f}")
    mean, error = mean_and_standard_error(list(folds.values()))
    print(f"{figure} {mean:.4f} ± {error:.4f} (mean and standard error of {FOLDS} networks)")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]), *sys.argv[2:])
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
