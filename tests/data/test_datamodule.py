import logging
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from facenet_lit.data.audit import LeakError
from facenet_lit.data.augmentation import Augmentation, Changes
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.data.samplers import IdentitySampler, TripletSampler
from facenet_lit.errors import UserError
from facenet_lit.sources.folder import FolderSource
from facenet_lit.sources.lfw import LFWSource
from facenet_lit.sources.synthetic import SyntheticFaces


def made(**settings: object) -> FaceDataModule:
    arguments = {"sampler": partial(TripletSampler, seed=0), "batch_size": 12, **settings}
    source = arguments.pop("source", SyntheticFaces(30, 3))
    data = FaceDataModule(source, **arguments)
    data.setup()
    return data


def write_picture(path: Path, value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.random.default_rng(value).integers(0, 256, (70, 70, 3), dtype=np.uint8)
    cv2.imwrite(str(path), picture)


def test_parts_hold_every_image_once_and_no_identity_twice() -> None:
    data = made()
    numbers = np.concatenate(list(data.parts.values()))
    assert sorted(numbers) == list(range(90))
    people = [set(data.faces.identities[part].tolist()) for part in data.parts.values()]
    assert [len(p) for p in people] == [24, 3, 3]
    assert not people[0] & people[1]
    assert not people[0] & people[2]
    assert not people[1] & people[2]


def test_training_batches_are_drawn_from_train_and_augmented() -> None:
    data, plain = made(augmentation=Augmentation(Changes(flip=1.0))), made()
    loader = data.train_dataloader()
    batches, expected = list(loader), list(plain.train_dataloader())
    assert len(batches) == len(loader) == 12  # 24 identities of 3 images: 48 triplets of 3 rows
    for batch, other in zip(batches, expected, strict=True):
        assert batch.images.shape == (12, 3, 64, 64)
        assert set(batch.numbers.tolist()) <= set(data.parts["train"].tolist())
        assert torch.equal(batch.images, other.images.flip(3))
        assert batch.identities.tolist() == data.faces.identities[batch.numbers.numpy()].tolist()
        anchor, positive, negative = batch.identities[batch.triplets].unbind(1)
        assert torch.equal(anchor, positive)
        assert not (anchor == negative).any()


@pytest.mark.parametrize("part", ["val", "test"])
def test_evaluation_batches_are_every_image_once_not_augmented(part: str) -> None:
    data = made(augmentation=Augmentation(Changes(flip=1.0)))
    batches = list(getattr(data, f"{part}_dataloader")())
    numbers = torch.cat([batch.numbers for batch in batches])
    assert numbers.tolist() == data.parts[part].tolist()
    images = torch.cat([batch.images for batch in batches]).permute(0, 2, 3, 1).numpy()
    assert np.array_equal(images, data.faces.images[data.parts[part]])


def test_workers_change_nothing() -> None:
    alone = [batch.numbers.tolist() for batch in made().train_dataloader()]
    assert [batch.numbers.tolist() for batch in made(workers=2).train_dataloader()] == alone


def test_a_resumed_run_goes_on_behind_the_batches_done() -> None:
    whole = [batch.numbers.tolist() for batch in made().train_dataloader()]
    data = made()
    data.load_state_dict({"batches_done": 5})
    assert [batch.numbers.tolist() for batch in data.train_dataloader()] == whole[5:]


def test_pixel_statistics() -> None:
    assert made(normalize="none").pixel_statistics() == ([0.0] * 3, [1.0] * 3)
    assert made(normalize="half").pixel_statistics() == ([0.5] * 3, [0.5] * 3)
    assert made(normalize="image").pixel_statistics() == ([0.0] * 3, [1.0] * 3)
    data = made(normalize="dataset")
    pixels = data.faces.images[data.parts["train"]].reshape(-1, 3) / 255
    mean, std = data.pixel_statistics()
    assert mean == pytest.approx(pixels.mean(0))
    assert std == pytest.approx(pixels.std(0))


def test_fixed_triplets_are_of_the_part_and_fixed() -> None:
    data = made()
    triplets = data.fixed_triplets("val")
    assert np.array_equal(triplets, made(seed=5).fixed_triplets("val"))
    assert set(triplets.ravel().tolist()) <= set(data.parts["val"].tolist())
    assert triplets.shape == (3 * 2, 3)


def test_a_picture_under_two_identities_stops_the_run_where_it_crosses_the_split(tmp_path: Path) -> None:
    for person in range(20):
        for image in range(2):
            write_picture(tmp_path / f"p{person:02}" / f"{image}.png", 2 * person + image)
    clean = made(source=FolderSource(tmp_path))
    names = clean.faces.names
    trained = names[clean.faces.identities[clean.parts["train"][0]]]
    tested = names[clean.faces.identities[clean.parts["test"][0]]]
    (tmp_path / tested / "other name.png").write_bytes((tmp_path / trained / "0.png").read_bytes())
    with pytest.raises(
        LeakError, match=f"1 pictures in both train and test, {trained}/0.png = {tested}/other"
    ):
        made(source=FolderSource(tmp_path))
    made(source=FolderSource(tmp_path), allow_leak=True)


def test_packed_pictures_are_kept_and_found_again(tmp_path: Path) -> None:
    first = made(cache=str(tmp_path))
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}
    assert files
    second = made(cache=str(tmp_path))
    assert np.array_equal(first.faces.images, second.faces.images)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")} == files


def test_leaks_that_are_allowed_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for person in range(20):
        for image in range(2):
            write_picture(tmp_path / f"p{person:02}" / f"{image}.png", image)  # twins of everyone
    with caplog.at_level(logging.WARNING):
        made(source=FolderSource(tmp_path), allow_leak=True)
    lists = [line for line in caplog.messages if "\n" in line]  # all that the lines have no place for
    assert [text.split(":\n")[0] for text in lists] == [
        f"pictures in both {parts}" for parts in ("train and val", "train and test", "val and test")
    ]
    lines = [line for line in caplog.messages if "\n" not in line]
    assert lines[0].startswith(
        "label noise: 2 pictures are under more than one identity, p00/0.png = p01/0.png,"
    )
    assert len(lines) == 4
    assert all(line.startswith("leak, allowed by data.allow_leak: ") for line in lines[1:])
    with pytest.raises(LeakError, match=r"remove the duplicates or merge the identities, or say data\.allow"):
        made(source=FolderSource(tmp_path))


@pytest.fixture
def lfw(tmp_path: Path) -> Path:
    """LFW's layout with 25 people of two pictures; a listed pair of ``test`` reaches into ``train``."""
    people = [f"P{chr(97 + k)}" for k in range(25)]
    for place, name in enumerate(people):
        for number in (1, 2):
            write_picture(tmp_path / "lfw" / name / f"{name}_{number:04d}.jpg", 2 * place + number)
    for list_name, names in {"peopleDevTrain": people[:20], "peopleDevTest": people[20:]}.items():
        (tmp_path / f"{list_name}.txt").write_text("\n".join([str(len(names)), *(f"{n}\t2" for n in names)]))
    (tmp_path / "pairsDevTest.txt").write_text("2\nPu\t1\t2\nPa\t1\t2\nPu\t1\tPv\t2\nPu\t1\tPw\t1\n")
    return tmp_path / "lfw"


def test_a_pair_that_reaches_out_of_its_part_is_scored_nowhere(lfw: Path) -> None:
    with pytest.raises(LeakError, match="1 listed pairs of test reach out of it"):
        made(source=LFWSource(lfw), split="view1")
    data = made(source=LFWSource(lfw), split="view1", allow_leak=True)
    assert np.isin(data.listed_pairs["test"], data.parts["test"]).all()
    assert len(data.listed_pairs["test"]) == 3


def test_broken_pictures_of_lfw_are_left_out_of_people_and_pairs(lfw: Path) -> None:
    for broken in ("Pv/Pv_0002.jpg", "Pb/Pb_0001.jpg", "Pb/Pb_0002.jpg"):
        (lfw / broken).write_text("no picture")
    data = made(source=LFWSource(lfw), split="view1", allow_leak=True, on_bad_image="skip")
    assert len(data.faces.files) == 47
    files = [[data.faces.files[n] for n in pair] for pair in data.listed_pairs["test"]]
    assert files == [["Pu/Pu_0001.jpg", "Pu/Pu_0002.jpg"], ["Pu/Pu_0001.jpg", "Pw/Pw_0001.jpg"]]


def test_fewer_singles_than_asked_for_are_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for person in range(34):  # every third has one picture; none is decoded
        for image in range(2 if person % 3 else 1):
            path = tmp_path / f"p{person:02}" / f"{image}.jpg"
            path.parent.mkdir(exist_ok=True)
            path.write_text("no picture")

    def lines(singles: int) -> list[str]:
        caplog.clear()
        sampler = partial(IdentitySampler, identities_per_batch=2, images_per_identity=2, singles=singles)
        data = FaceDataModule(FolderSource(tmp_path), sampler, batch_size=4 + singles)
        with caplog.at_level(logging.INFO):
            people = data.source.identities[data.listed.parts["train"]]
        assert (np.bincount(people) == 1).sum() == 12
        return [record.getMessage() for record in caplog.records]

    assert lines(0) == lines(12) == []
    assert lines(13) == [
        "sampler.singles=13: the training part has 12 people with one image, so batches hold 16 rows, "
        "not data.batch_size=17"
    ]


def test_a_split_of_triplets_is_a_leak(caplog: pytest.LogCaptureFixture) -> None:
    advice = r"data\.split=triplets is for measuring .*, or say data\.allow_leak=true$"
    with pytest.raises(
        LeakError, match=rf"^leak: \d+ identities in both train and val, synthetic/.*; {advice}"
    ):
        made(split="triplets")
    with caplog.at_level(logging.WARNING):
        data = made(split="triplets", allow_leak=True)
    people = {part: set(data.faces.identities[numbers].tolist()) for part, numbers in data.parts.items()}
    sides = [("train", "val"), ("train", "test"), ("val", "test")]
    told = [message.removeprefix("leak, allowed by data.allow_leak: ") for message in caplog.messages]
    for line, (one, other) in zip(told[:3], sides, strict=True):
        assert line.startswith(f"{len(people[one] & people[other])} identities in both {one} and {other}, ")
    for line, (one, other) in zip(told[3:], sides, strict=True):
        shared = np.intersect1d(data.parts[one], data.parts[other])
        assert line.startswith(f"{len(shared)} pictures in both {one} and {other}, ")
        assert len(shared) > 0
    batch = next(iter(data.train_dataloader()))
    assert set(batch.numbers.tolist()) <= set(data.parts["train"].tolist())


def test_without_a_split_there_is_nobody_to_train_on() -> None:
    assert len(made(sampler=None, split="none").parts["test"]) == 90
    with pytest.raises(
        UserError, match=r"^data\.split=none: nobody to train on; expected data\.split=random$"
    ):
        FaceDataModule(SyntheticFaces(30, 3), partial(TripletSampler, seed=0), split="none")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 2}, "data.batch_size"),
        ({"size": 32}, "data.size"),
        ({"normalize": "whole"}, "data.normalize"),
        ({"split": "half"}, "data.split"),
        ({"split": "view1"}, "data.split=view1: expected data=lfw"),
        ({"split": "view2", "fold": 1}, "data.split=view2: expected data=lfw"),
        ({"split": "view2"}, "data.split=view2: expected data=lfw"),
        ({"fold": 2}, "data.fold=2: data.split=random has no folds"),
        ({"on_bad_image": "ignore"}, "data.on_bad_image"),
        ({"allow_leak": "yes"}, "data.allow_leak"),
        ({"workers": -1}, "data.workers"),
        ({"split_seed": -1}, "data.split_seed"),
        ({"crop": 4}, "data.crop"),
    ],
)
def test_settings_out_of_range_are_refused_before_anything_is_read(
    settings: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        FaceDataModule(SyntheticFaces(30, 3), **settings)
