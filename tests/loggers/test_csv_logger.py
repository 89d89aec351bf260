import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from facenet_lit.loggers.csv_logger import TABLE, RunCsvLogger
from facenet_lit.loggers.dashboard import Settings

Points = list[tuple[int, str, float]]


def read(folder: Path) -> dict[int, dict[str, float]]:
    with open(folder / TABLE, newline="") as file:
        rows = list(csv.DictReader(file))
    steps = [int(row["step"]) for row in rows]
    assert steps == sorted(set(steps))
    return {
        step: {name: float(value) for name, value in row.items() if value and name != "step"}
        for step, row in zip(steps, rows, strict=True)
    }


def write(folder: Path, points: Points, purge_step: int | None, save_after: set[int]) -> None:
    logger = RunCsvLogger(str(folder), purge_step)
    for number, (step, name, value) in enumerate(points):
        logger.log_metrics({name: value, "epoch": 1}, step)
        if number in save_after:
            logger.save()
    logger.finalize("success")


POINT = st.tuples(
    st.integers(0, 12), st.sampled_from(["train/loss", "val/tar", "test/far"]), st.floats(-9, 9)
)


@settings(max_examples=60, deadline=None)
@given(
    first=st.lists(POINT, max_size=15),
    then=st.lists(POINT, max_size=15),
    purge=st.integers(1, 14),
    save_after=st.sets(st.integers(0, 15)),
)
def test_the_table_holds_the_last_value_of_each_point_and_nothing_that_is_done_again(
    tmp_path_factory: pytest.TempPathFactory, first: Points, then: Points, purge: int, save_after: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("run")
    expected: dict[int, dict[str, float]] = {}
    for points, purge_step in ((first, 0), (then, purge)):
        expected = {step: row for step, row in expected.items() if step < purge_step}
        for step, name, value in points:
            expected.setdefault(step, {})[name] = value
        write(folder, points, purge_step, save_after)
        if points:  # else the table stays as it is until there is something to write
            assert read(folder) == expected


def test_rows_are_added_and_a_broken_line_is_passed_over(tmp_path: Path) -> None:
    logger = RunCsvLogger(str(tmp_path), 0)
    for step in range(1, 4):
        logger.log_metrics({"val/tar": step / 10}, step)
        assert max(read(tmp_path)) == step  # at once: a killed run leaves it
    with open(tmp_path / TABLE, "a") as file:
        file.write("1,0.")  # of step 12
    resumed = RunCsvLogger(str(tmp_path), 3)
    resumed.log_metrics({"val/tar": 0.9}, 3)
    assert read(tmp_path) == {1: {"val/tar": 0.1}, 2: {"val/tar": 0.2}, 3: {"val/tar": 0.9}}


def test_pictures_are_files_by_name_and_step(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    logger = RunCsvLogger(str(tmp_path))
    logger.show_text("config", "x")
    logger.begin_row(Settings({"seed": 0}), [])
    logger.show_picture("val_best/roc", picture, 100)
    logger.end_row(Settings({}))
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert file == tmp_path / "pictures/val_best/roc-000100.png"
    assert np.array_equal(np.asarray(Image.open(file)), picture)
