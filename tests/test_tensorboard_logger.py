from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from facenet_lit.tensorboard_logger import RunLogger


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
