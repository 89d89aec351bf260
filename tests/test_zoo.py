"""Folders as people have them, from the listing to a trained network."""

from __future__ import annotations

import logging
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import zoo
from entry_points import NETWORK, call, refused

from facenet_lit import evaluate, train
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.data.splits import random_split
from facenet_lit.errors import UserError
from facenet_lit.sources.folder import FolderSource


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("with spaces, and = signs") / "the zoo"
    zoo.build(root)
    return root


def opened(root: Path, on_bad_image: str = "skip") -> FaceDataModule:
    data = FaceDataModule(FolderSource(root), split="none", size=zoo.SIDE, on_bad_image=on_bad_image)
    data.setup()
    return data


def test_the_report_is_exact(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        data = opened(root)
    assert caplog.messages == [
        *(f"data.root={root}: {line}" for line in zoo.REMARKS),
        f"{zoo.UNDECODABLE}; left out",
        zoo.NOISE,
        zoo.REPEATS,
    ]
    assert set(data.faces.names) == {*zoo.names(), "Formats"}
    # Three of each person, those of the formats, the deeper ones, the linked one, and the one of two people.
    assert len(data.parts["test"]) == 3 * zoo.PEOPLE + len(zoo.FORMATS) + 3 + 1 + 1
    with pytest.raises(UserError) as refused:
        opened(root, "error")
    advice = "mend or remove them, or set data.on_bad_image=skip to leave them out"
    assert str(refused.value) == f"{zoo.UNDECODABLE}; {advice}"


def test_every_format_holds_the_face_that_was_drawn(root: Path) -> None:
    faces, drawn = opened(root).faces, zoo.faces()
    for number, (file, (_, tolerance)) in enumerate(zoo.FORMATS.items()):
        found = faces.images[faces.files.index(f"Formats/{file}")].astype(int)
        expected = drawn[number][:, ::-1].astype(int)
        # In its colours where it has them; in any case it is nearer to its own than to any other.
        if tolerance is not None:
            assert np.abs(found - expected).mean() <= tolerance, file
        likeness = [np.corrcoef(found[..., 1].ravel(), other[:, ::-1, 1].ravel())[0, 1] for other in drawn]
        assert int(np.argmax(likeness)) == number, file
        assert likeness[number] > 0.7, file


def test_two_equal_pictures_on_two_sides_stop_a_run(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = FolderSource(root)
    one, other = (source.names.index(name) for name in ("Person 32", "Person 33"))

    def side(seed: int, person: int) -> str:
        return next(
            part for part, people in random_split(source.identities, seed).items() if person in people
        )

    seed = next(seed for seed in count() if side(seed, one) == "train" != side(seed, other))
    told = refused(
        tmp_path / "run",
        "data=folder", f"data.root='{root}'", f"data.split_seed={seed}", "data.on_bad_image=skip",
        "data.batch_size=36", "data.cache=null", "trainer.minutes=null", "trainer.steps=2",
        *NETWORK,
    )  # fmt: skip
    assert told == (
        f"leak: 1 pictures in both train and {side(seed, other)}, Person 32/0.png = Person 33/same.bmp for one; "
        "remove the duplicates or merge the identities, or say data.allow_leak=true"
    )
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_from_training_to_an_evaluation_of_a_list(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    zoo.add_name_in_latin_1(root)
    source = FolderSource(root)
    twins = {source.names.index("Person 32"), source.names.index("Person 33")}
    seed = next(
        seed for seed in count() if twins <= set(random_split(source.identities, seed)["train"].tolist())
    )
    quoted = "'" + str(root) + "'"
    ended = call(
        train.main,
        "data=folder", f"data.root={quoted}", f"data.split_seed={seed}", "data.on_bad_image=skip",
        "data.batch_size=36", "test=false", "trainer.minutes=null", "trainer.steps=2", "trainer.precision=32",
        "hydra.run.dir=run", *NETWORK,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert [
        line for line in (zoo.NOISE, zoo.REPEATS, f"{zoo.UNDECODABLE}; left out") if line not in lines
    ] == []
    assert "Traceback" not in ended.err

    rows = [f'"new/{number}.png",Person {number // 2} anew' for number in range(20)]
    for number, face in enumerate(zoo.faces()[:20]):
        zoo.put(tmp_path / "new" / f"{number}.png", zoo.by_opencv(".png")(255 - face))
    (tmp_path / "list.csv").write_text("\n".join(["path,identity", *rows]))
    best = "checkpoint=run/checkpoints/best.ckpt"
    ended = call(evaluate.main, best, "data.list=list.csv", "part=all", "hydra.run.dir=told")
    assert ended.code == 0, ended.err
    assert "all pairs, 20 images" in ended.out
    # Where pictures lie and their list go together: neither is taken over from the run where one is said.
    taken_over = {text.split("=")[0] for text in evaluate.completed([best])}
    assert {"data.root", "data.list", "data.size"} <= taken_over
    for said in ("data.root=elsewhere", "data.list=list.csv"):
        left = {text.split("=")[0] for text in evaluate.completed([best, said])}
        assert taken_over - left == {"data.root", "data.list"}
    # The same people under their own names are refused by the list alone.
    (tmp_path / "list.csv").write_text("\n".join(["path,identity", *rows]).replace("0 anew", "20"))
    given = (best, "data.list=list.csv", "part=all")
    told = refused(tmp_path / "again", *given, job=evaluate.evaluate, completed=evaluate.completed)
    assert told.startswith("leak: the checkpoint was trained on")
