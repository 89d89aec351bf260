"""Weights are kept at the seconds of training that were asked for, whole, in a resumed run as well."""

from pathlib import Path

import pytest
import torch
from test_checkpoints import Watch, fit, made, step_of

from facenet_lit.callbacks.snapshots import Snapshots
from facenet_lit.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore")


class Ticking(Watch):
    """Lets each step take as many seconds as it is told, on top of what it does take."""

    def __init__(self, folder: Path, budget, seconds: float) -> None:
        super().__init__(folder)
        self.budget, self.seconds = budget, seconds

    def on_train_batch_end(self, *_: object) -> None:
        self.budget.seconds_spent += self.seconds


def kept(folder: Path, steps: int, every: float | None, step: float, before: float = 0) -> dict[int, float]:
    """Seconds by the step of each snapshot, of a run each step of which takes ``step`` seconds."""
    checkpoints = made(folder, steps=steps)
    checkpoints.clock.budget.seconds_spent = before
    snapshots = Snapshots(folder / "snapshots", every, checkpoints.clock)
    # Behind the checkpoints: the seconds are those of the steps before and of this one.
    fit(checkpoints, [0.5] * steps, Ticking(folder, checkpoints.clock.budget, step), snapshots)
    assert not list(folder.rglob("*.partial"))
    return {step_of(path): float(path.name[:-6]) for path in (folder / "snapshots").glob("*")}


def test_one_is_kept_at_the_first_step_after_each_multiple(tmp_path: Path) -> None:
    found = kept(tmp_path, steps=12, every=10, step=4)
    assert sorted(found) == [3, 5, 8, 10]  # after 12, 20, 32 and 40 seconds, and what the steps took besides
    for step, seconds in found.items():
        assert 4 * step <= seconds < 4 * step + 3.9


def test_a_step_over_several_multiples_keeps_one(tmp_path: Path) -> None:
    assert sorted(kept(tmp_path, steps=3, every=10, step=35)) == [1, 2, 3]


def test_a_resumed_run_goes_on_at_the_next_multiple(tmp_path: Path) -> None:
    assert sorted(kept(tmp_path, steps=4, every=100, step=20, before=150)) == [3]


def test_what_a_killed_process_kept_after_its_checkpoint_goes(tmp_path: Path) -> None:
    (tmp_path / "snapshots").mkdir()
    for name in ("0140.000s.ckpt", "0160.000s.ckpt", "0170.000s.partial"):
        (tmp_path / "snapshots" / name).touch()
    checkpoints = made(tmp_path, steps=1)
    checkpoints.clock.budget.seconds_spent = 150
    fit(checkpoints, [0.5], Snapshots(tmp_path / "snapshots", 100, checkpoints.clock))
    assert [path.name for path in (tmp_path / "snapshots").iterdir()] == ["0140.000s.ckpt"]


def test_none_are_kept_unless_asked_for(tmp_path: Path) -> None:
    assert kept(tmp_path, steps=3, every=None, step=100) == {}


def test_a_snapshot_holds_the_weights_and_no_state_of_the_optimiser(tmp_path: Path) -> None:
    kept(tmp_path, steps=2, every=10, step=11)
    (path, *_) = (tmp_path / "snapshots").glob("*")
    content = torch.load(path, weights_only=True)
    assert "state_dict" in content
    assert "optimizer_states" not in content


@pytest.mark.parametrize("every", [0, -1, "often"])
def test_a_bad_time(tmp_path: Path, every: object) -> None:
    with pytest.raises(UserError, match=r"^checkpoint.snapshot_seconds="):
        Snapshots(tmp_path, every, made(tmp_path).clock)  # type: ignore[arg-type]
