import csv

import cv2
import numpy as np
import pytest
from dashboard_runs import DashboardRun, drawn_faces, part_of
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from facenet_lit.callbacks.projector import Projector, whole_people
from facenet_lit.errors import UserError


def test_bad_settings() -> None:
    with pytest.raises(UserError, match=r"^callbacks\.projector\.side=4: expected an integer from 8 to 128"):
        Projector(10, 4)
    # TensorBoard reads one picture of 8,192 pixels a side at most.
    with pytest.raises(UserError, match=r"^callbacks\.projector\.images=4097: .* from 0 to 4096"):
        Projector(4097, 128)


def test_vectors_names_and_thumbnails_are_of_the_same_pictures_in_one_order(drawn_run: DashboardRun) -> None:
    faces = drawn_faces()
    config = text_format.Parse((drawn_run.folder / "projector_config.pbtxt").read_text(), ProjectorConfig())
    (shown,) = config.embeddings
    vectors = np.loadtxt(drawn_run.folder / shown.tensor_path, delimiter="\t")
    with open(drawn_run.folder / shown.metadata_path, newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    numbers = np.array([faces.files.index(row["picture"]) for row in rows])
    assert sorted(numbers) == sorted(part_of(faces, "val"))
    assert [row["identity"] for row in rows] == [faces.names[i] for i in faces.identities[numbers]]
    assert np.allclose(vectors, drawn_run.embeddings(faces, numbers), atol=1e-4)
    thumbnails = np.asarray(Image.open(drawn_run.folder / shown.sprite.image_path))
    side, _ = shown.sprite.single_image_dim
    across = thumbnails.shape[1] // side
    for place, number in enumerate(numbers):
        top, left = side * (place // across), side * (place % across)
        small = cv2.resize(faces.images[np.array([number])][0], (side, side), interpolation=cv2.INTER_AREA)
        assert np.array_equal(thumbnails[top : top + side, left : left + side], small)


def test_of_a_large_part_whole_people_are_taken() -> None:
    people = np.random.default_rng(0).integers(0, 50, 400)
    assert whole_people(people, 400).all()
    chosen = whole_people(people, 100)
    assert 80 < chosen.sum() <= 100
    assert not set(people[chosen]) & set(people[~chosen])
    assert np.array_equal(chosen, whole_people(people, 100))
    assert not whole_people(people[:0], 10).any()
