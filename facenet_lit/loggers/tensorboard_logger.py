"""Lightning's TensorBoard logger, writing into the run's folder itself and only what is worth a panel."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

from facenet_lit.loggers.dashboard import ENDED_BY, Dashboard, Settings
from facenet_lit.preprocessing import Picture

FIRST = "events.out.tfevents.0000000000.ended_by"


class RunLogger(TensorBoardLogger, Dashboard):
    """Writes event files into ``save_dir`` without subfolders.

    Lightning adds the epoch's number to every metric, a panel that tells nothing and pushes those of ``val``
    out of sight, and an empty hparams.yaml; both are left out.

    Args:
        save_dir: the run's folder.
        purge_step: TensorBoard hides what earlier event files in the folder hold at this step and beyond,
            so that what a killed run drew after its last checkpoint is not drawn twice: one more than the
            checkpoint's step for a resumed run, 0 for a new one. None hides nothing.
    """

    def __init__(self, save_dir: str, purge_step: int | None = None) -> None:
        super().__init__(save_dir, name="", version="", default_hp_metric=False, purge_step=purge_step)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Writes scalars at a step."""
        kept = {name: value for name, value in metrics.items() if name != "epoch"}
        if kept:
            super().log_metrics(kept, step)

    def save(self) -> None:
        """Writes out what is buffered."""
        self.experiment.flush()

    def show_picture(self, name: str, picture: Picture, step: int) -> None:
        """See :class:`Dashboard`."""
        self.experiment.add_image(name, picture, step, dataformats="HWC")

    def show_text(self, name: str, text: str, step: int = 0) -> None:
        """See :class:`Dashboard`."""
        self.experiment.add_text(name, text, step)

    def begin_row(self, settings: Settings, figures: Sequence[str]) -> None:
        """See :class:`Dashboard`; TensorBoard takes the columns of all runs from the first one's."""
        columns = [
            api_pb2.HParamInfo(name=name, type=_kind(value), differs=name in settings.chosen)
            for name, value in settings.values.items()
        ]
        columns.append(api_pb2.HParamInfo(name=ENDED_BY, type=api_pb2.DATA_TYPE_STRING, differs=True))
        metrics = [api_pb2.MetricInfo(name=api_pb2.MetricName(tag=name)) for name in figures]
        about = api_pb2.Experiment(hparam_infos=columns, metric_infos=metrics)
        self._write(_summary(metadata.EXPERIMENT_TAG, experiment=about))
        self._write(_row(settings.values))

    def end_row(self, settings: Settings, ended_by: str | None = None) -> None:
        """See :class:`Dashboard`."""
        if ended_by is not None:
            self._write_before(_row({**settings.values, ENDED_BY: ended_by}))
        status = api_pb2.STATUS_SUCCESS if ended_by is None else api_pb2.STATUS_FAILURE
        end = plugin_data_pb2.SessionEndInfo(status=status)
        self._write(_summary(metadata.SESSION_END_INFO_TAG, session_end_info=end))

    def _write(self, summary: Summary) -> None:
        # The writer's own method makes a run of its own of each row.
        self.experiment._get_file_writer().add_summary(summary, 0)

    def _write_before(self, summary: Summary) -> None:
        """Writes into a file of its own, read before the others: of several rows of a run TensorBoard takes the first.

        Files are read in the order of their names, which begin with the seconds since 1970.
        """
        path = Path(self.log_dir, FIRST)
        partial = path.with_name("row.partial")
        with open(partial, "wb") as file:
            writer, now = RecordWriter(file), time.time()
            for event in (Event(file_version="brain.Event:2"), Event(summary=summary)):
                event.wall_time = now
                writer.write(event.SerializeToString())
        os.replace(partial, path)


def _row(values: Mapping[str, str | float]) -> Summary:
    row = plugin_data_pb2.SessionStartInfo()
    for name, value in values.items():
        if isinstance(value, str):
            row.hparams[name].string_value = value
        else:
            row.hparams[name].number_value = value
    return _summary(metadata.SESSION_START_INFO_TAG, session_start_info=row)


def _summary(tag: str, **content: object) -> Summary:
    about = metadata.create_summary_metadata(
        plugin_data_pb2.HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, **content)
    )
    return Summary(value=[Summary.Value(tag=tag, metadata=about)])


def _kind(value: str | float) -> int:
    return int(api_pb2.DATA_TYPE_STRING if isinstance(value, str) else api_pb2.DATA_TYPE_FLOAT64)
