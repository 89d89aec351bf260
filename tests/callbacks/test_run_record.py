"""The table of runs as TensorBoard's own plugin makes it, the config, and what a resumed run leaves as it was."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml
from dashboard_runs import DashboardRun, dashboard_run, events_of
from entry_points import stop_at
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.hparams import api_pb2, get_experiment, list_session_groups
from tensorboard.plugins.hparams.backend_context import Context
from tensorboard.util.tensor_util import make_ndarray

TARS = ("tar_at_far_1e-1", "tar_at_far_1e-2")


def table_of_runs(folder: Path) -> tuple[Any, dict[str, tuple[dict[str, Any], dict[str, float]]]]:
    """The columns, and each run's settings and figures, that TensorBoard shows of a folder of runs."""
    multiplexer = EventMultiplexer().AddRunsFromDirectory(str(folder)).Reload()
    provider = MultiplexerDataProvider(multiplexer, str(folder))
    context, request = Context(TBContext(data_provider=provider, logdir=str(folder))), RequestContext()
    columns = get_experiment.Handler(request, context, "", api_pb2.GetExperimentRequest()).run()
    wanted = api_pb2.ListSessionGroupsRequest(
        allowed_statuses=[api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE], slice_size=10, col_params=[]
    )
    handler = list_session_groups.Handler(request, context, "", wanted)
    rows = {}
    for group in handler.run().session_groups:
        settings = {name: value.string_value or value.number_value for name, value in group.hparams.items()}
        figures = {metric.name.tag: metric.value for metric in group.metric_values}
        rows[group.sessions[0].name] = settings, figures
    return columns, rows


def test_a_row_has_the_settings_and_the_final_figures(drawn_run: DashboardRun) -> None:
    columns, rows = table_of_runs(drawn_run.folder.parent)
    settings, figures = rows[drawn_run.folder.name]
    metrics = drawn_run.metrics
    told = ("eer", *(f"eer_balanced{end}" for end in ("", "_low", "_high")), "tar", "far", *TARS)
    expected = {f"test/{name}": metrics[f"test/{name}"] for name in told}
    assert figures == pytest.approx({**expected, "val_best/eer_balanced": metrics["val/eer_balanced"]})
    assert settings["model"] == "resnext"
    assert settings["optimizer.lr"] == 2e-3
    assert settings["model.embedding_size"] == 16
    assert not [name for name in settings if name.startswith(("callbacks", "hydra", "resume"))]
    told = {column.name: column.differs for column in columns.hparam_infos}
    assert told.keys() == {*settings, "ended_by"}  # whose cell is empty: nothing ended it
    assert told["optimizer.lr"]
    assert not told["model"]  # nobody chose it
    assert {column.name.tag for column in columns.metric_infos} == figures.keys()


def test_the_config_is_a_block_of_yaml(drawn_run: DashboardRun) -> None:
    events = events_of(drawn_run.folder)
    (tag,) = (tag for tag in events.Tags()["tensors"] if tag.startswith("config"))
    (event,) = events.Tensors(tag)
    text = make_ndarray(event.tensor_proto)[0].decode()
    assert text.startswith("```yaml\n")
    assert text.endswith("\n```\n")
    inside = yaml.safe_load(text.removeprefix("```yaml\n").removesuffix("```\n"))
    assert inside == yaml.safe_load((drawn_run.folder / "config.yaml").read_text())


def test_without_a_test_the_row_is_of_val(tmp_path: Path) -> None:
    run = dashboard_run(
        tmp_path / "run", "test=false", "callbacks.curves.share=0", "callbacks.errors.share=0"
    )
    _, rows = table_of_runs(tmp_path)
    _, figures = rows["run"]
    names = ("eer", *(f"eer_balanced{end}" for end in ("", "_low", "_high")), "tar", "far", *TARS)
    assert figures == pytest.approx({f"val_best/{name}": run.metrics[f"val/{name}"] for name in names})
    assert not events_of(run.folder).Tags()["images"]


def test_a_resumed_run_writes_nothing_twice(drawn_run: DashboardRun) -> None:
    folder = drawn_run.folder.parent / "killed"
    with pytest.MonkeyPatch.context() as patch:
        # Between the pictures of step 2 and those of step 4.
        stop_at(patch, "on_train_batch_end", 3, signal.SIGTERM)
        killed = dashboard_run(folder, "optimizer.lr=2e-3", "resume=auto")
    assert killed.ended.code == 143
    resumed = dashboard_run(folder, "optimizer.lr=2e-3", "resume=auto")
    assert resumed.ended.code == 0, resumed.ended.err
    assert json.loads((folder / "metrics.json").read_text()) == drawn_run.metrics
    once, again = events_of(drawn_run.folder), events_of(folder)
    assert again.Tags()["images"] == once.Tags()["images"]
    for name in once.Tags()["images"]:
        assert [image.step for image in again.Images(name)] == [image.step for image in once.Images(name)]
        pictures = [[image.encoded_image_string for image in events.Images(name)] for events in (once, again)]
        assert pictures[0] == pictures[1]
    assert [len(again.Tensors(tag)) for tag in again.Tags()["tensors"]] == [
        len(once.Tensors(tag)) for tag in once.Tags()["tensors"]
    ]
    for name in once.Tags()["scalars"]:
        points = [[(point.step, point.value) for point in events.Scalars(name)] for events in (once, again)]
        assert len({step for step, _ in points[1]}) == len(points[1]), name
        assert name.startswith("train/") or points[0] == points[1], name
    _, rows = table_of_runs(drawn_run.folder.parent)
    assert rows["killed"] == rows[drawn_run.folder.name]
