import numpy as np
import torch

from facenet_lit.batch import Batch
from facenet_lit.checks.gallery import EACH, PEOPLE, TRIPLETS, as_picture, rows_of_people, rows_of_triplets

NAMES = [f"p{k}" for k in range(20)]
FILES = [f"f{k}" for k in range(100)]


def batch(identities: list[int], numbers: list[int]) -> Batch:
    images = torch.from_numpy(np.array(numbers, np.uint8))[:, None, None, None].repeat(1, 3, 4, 4)
    return Batch(images, torch.tensor(identities), torch.tensor(numbers), None)


def test_people_have_each_image_once_and_those_with_most_come_first() -> None:
    batches = [batch([0, 0, 1, 1, 1], [0, 1, 5, 6, 5]), batch([1, 2], [7, 9])]
    rows = rows_of_people(batches, NAMES, FILES)
    assert [(row.name, [one.name for one in row.shown]) for row in rows] == [
        ("p1", ["f5", "f6", "f7"]),
        ("p0", ["f0", "f1"]),
        ("p2", ["f9"]),
    ]
    assert all((one.picture == int(one.name[1:])).all() for row in rows for one in row.shown)


def test_there_are_not_too_many() -> None:
    many = batch(sorted([*range(20)] * 5), list(range(100)))
    assert len(rows_of_people([many], NAMES, FILES)) == PEOPLE
    one = batch([0] * 50, list(range(50)))
    assert [len(row.shown) for row in rows_of_people([one], NAMES, FILES)] == [EACH]


def test_triplets_are_spread_over_all_and_show_their_rows() -> None:
    drawn = torch.arange(90).reshape(30, 3)
    rows = rows_of_triplets(batch([0] * 90, list(range(90))), drawn, FILES)
    assert len(rows) == TRIPLETS
    assert [one.name for one in rows[0].shown] == ["f0", "f1", "f2"]
    assert [one.name for one in rows[-1].shown] == ["f87", "f88", "f89"]
    assert rows_of_triplets(batch([0], [0]), drawn[:0], FILES) == []


def test_pictures_of_either_kind_of_numbers() -> None:
    image = torch.tensor([[[-3.0, 0.4]], [[254.6, 255.0]], [[300.0, 10.0]]])  # (3, 1, 2)
    assert as_picture(image).tolist() == [[[0, 255, 255], [0, 255, 10]]]
    whole = torch.arange(12, dtype=torch.uint8).reshape(3, 2, 2)
    np.testing.assert_array_equal(as_picture(whole), whole.permute(1, 2, 0).numpy())


def test_odd_names_are_quoted() -> None:
    [row] = rows_of_people([batch([0], [0])], ["A\udceb"], ["x\ny"])
    assert (row.name, row.shown[0].name) == (r"'A\udceb'", r"'x\ny'")
