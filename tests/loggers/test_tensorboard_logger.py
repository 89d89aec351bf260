from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from facenet_lit.loggers.tensorboard_logger import RunLogger


def test_scalars_without_the_epoch_and_nothing_else_in_the_folder(tmp_path: Path) -> None:
    logger = RunLogger(str(tmp_path))
    logger.log_metrics({"val/tar": 0.5, "epoch": 3}, step=7)
    logger.log_metrics({"epoch": 4}, step=8)
    logger.save()
    logger.finalize("success")
    assert all(path.name.startswith("events.out.tfevents") for path in tmp_path.iterdir())
    events = EventAccumulator(str(tmp_path)).Reload()
    assert events.Tags()["scalars"] == ["val/tar"]
    assert [(event.step, event.value) for event in events.Scalars("val/tar")] == [(7, 0.5)]


def draw(folder: Path, steps: range, purge_step: int | None) -> None:
    """A session whose values tell it from another."""
    logger = RunLogger(str(folder), purge_step)
    for step in steps:
        logger.log_metrics({"val/tar": float(steps.start)}, step)
    logger.save()
    logger.finalize("success")
    (written,) = folder.glob("events.*")
    # Files are read in the order of their names, which hold the second: here it may be the same.
    written.rename(folder / f"{len(list(folder.iterdir()))}.tfevents")


@pytest.mark.parametrize(
    ("purge_step", "expected"),
    [
        (4, [(1, 1.0), (2, 1.0), (3, 1.0), (4, 4.0), (5, 4.0)]),  # resumed at step 3
        (0, [(4, 4.0), (5, 4.0)]),  # another run begins in the folder
        (None, [(1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0), (5, 1.0), (6, 1.0), (4, 4.0), (5, 4.0)]),
    ],
)
def test_points_from_the_purged_step_on_are_hidden(
    tmp_path: Path, purge_step: int | None, expected: list[tuple[int, float]]
) -> None:
    draw(tmp_path, range(1, 7), None)  # killed after step 6
    draw(tmp_path, range(4, 6), purge_step)
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [(event.step, event.value) for event in events.Scalars("val/tar")] == expected
