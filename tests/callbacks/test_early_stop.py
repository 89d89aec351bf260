from pathlib import Path

import pytest
import torch
from test_checkpoints import fit, made, step_of

from facenet_lit.callbacks.early_stop import EarlyStop
from facenet_lit.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore")

VALUES = [0.5, 0.3, 0.4, 0.3, 0.35, 0.2, 0.1, 0.1]


def ends_after(values: list[float], patience: int | None) -> int:
    """Validations of a run that ends as soon as the lowest value is ``patience`` of them old."""
    for count in range(1, len(values) + 1):
        lowest = values.index(min(values[:count]))
        if patience is not None and count - 1 - lowest >= patience:
            return count
    return len(values)


@pytest.mark.parametrize("patience", [None, 1, 2, 3, 4, 7])
def test_a_run_ends_when_the_best_is_so_many_validations_old(tmp_path: Path, patience: int | None) -> None:
    checkpoints = made(tmp_path, steps=len(VALUES))
    fit(checkpoints, VALUES, EarlyStop(checkpoints, patience))
    end = ends_after(VALUES, patience)
    assert step_of(checkpoints.last_path) == end
    assert step_of(checkpoints.best_path) == VALUES.index(min(VALUES[:end])) + 1


def test_only_validations_that_could_be_the_best_count(tmp_path: Path) -> None:
    checkpoints = made(tmp_path, steps=8, best_from=0.5)
    fit(checkpoints, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], EarlyStop(checkpoints, 2))
    assert (step_of(checkpoints.best_path), step_of(checkpoints.last_path)) == (4, 6)


def test_a_monitor_that_is_not_told_is_never_better(tmp_path: Path) -> None:
    checkpoints = made(tmp_path, steps=8)
    fit(checkpoints, [], EarlyStop(checkpoints, 3))
    assert (step_of(checkpoints.best_path), step_of(checkpoints.last_path)) == (1, 4)


def test_patience_goes_on_where_it_was(tmp_path: Path) -> None:
    """The state in ``last.ckpt`` is of after its validation."""
    checkpoints = made(tmp_path, steps=3)
    fit(checkpoints, [0.1, 0.2, 0.3], EarlyStop(checkpoints, 5))
    states = torch.load(checkpoints.last_path, weights_only=True)["callbacks"]
    assert states["Checkpoints"] == {"best": pytest.approx(0.1), "since_best": 2}
    again = made(tmp_path, steps=8)
    again.load_state_dict(states["Checkpoints"])
    fit(again, [0.4, 0.5, 0.6, 0.7, 0.8], EarlyStop(again, 4))
    assert step_of(again.last_path) == 2


@pytest.mark.parametrize("patience", [0, -1, 1.5, "long"])
def test_a_bad_patience(tmp_path: Path, patience: object) -> None:
    with pytest.raises(UserError, match=r"^patience="):
        EarlyStop(made(tmp_path), patience)
