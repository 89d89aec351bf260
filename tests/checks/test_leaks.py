import logging
from pathlib import Path

import cv2
import pytest
import torch

from facenet_lit.checkpoint import ModelCard
from facenet_lit.checks.finding import Verdict
from facenet_lit.checks.leaks import check_leaks, find_all, unlogged
from facenet_lit.data.audit import identity_fingerprints
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.sources.folder import FolderSource
from facenet_lit.sources.synthetic import SyntheticFaces


def opened(root: Path, twins: bool) -> FaceDataModule:
    """Twenty people of three pictures; with twins one of these is the same of all."""
    pictures = [read() for _, read in SyntheticFaces(20, 3).pictures()]
    for number, picture in enumerate(pictures):
        path = root / f"p{number // 3:02d}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), pictures[0] if twins and number % 3 == 0 else picture)
    data = FaceDataModule(FolderSource(root), allow_leak=True)
    data.setup()
    return data


def test_a_sound_split_has_none(tmp_path: Path) -> None:
    assert find_all(opened(tmp_path, twins=False), None) == []


def test_equal_pictures_on_two_sides_are_found(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = opened(tmp_path, twins=True)
    caplog.clear()
    leaks = find_all(data, None)
    assert [leak.split(",")[0] for leak in leaks] == [
        "16 pictures in both train and val",
        "16 pictures in both train and test",
        "2 pictures in both val and test",
    ]
    assert all(leak.endswith("for one") for leak in leaks)
    assert caplog.records == []


def test_what_the_weights_have_seen_is_found(tmp_path: Path) -> None:
    data = opened(tmp_path, twins=False)
    numbers, faces = data.parts["test"], data.faces
    names = [faces.names[person] for person in sorted(set(faces.identities[numbers].tolist()))]
    card = ModelCard(
        "resnext", {}, 8, [0.5] * 3, [0.5] * 3,
        trained_identities=torch.from_numpy(identity_fingerprints(names).copy()),
        trained_pictures=torch.from_numpy(faces.fingerprints[numbers].copy()),
    )  # fmt: skip
    people, pictures = find_all(data, card)
    assert people.startswith("the checkpoint was trained on 2 of 4 identities")
    assert pictures.startswith("the checkpoint was trained on 6 of 12 pictures")


def test_a_leak_stops_unless_it_was_allowed() -> None:
    assert check_leaks([], False, "mend it", 60, 20).verdict is Verdict.OK
    found = check_leaks(["one", "two"], False, "mend it", 60, 20)
    assert (found.verdict, found.said, found.advice) == (Verdict.STOP, "one; two.", "mend it")
    found = check_leaks(["one"], True, "mend it", 60, 20)
    assert found.verdict is Verdict.LOOK
    assert found.said == "Allowed by data.allow_leak: one."


def test_what_is_kept_from_the_log_is_told_again_later(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("facenet_lit.data.somewhere")
    with unlogged():
        log.warning("kept")
    log.warning("told")
    assert caplog.messages == ["told"]
