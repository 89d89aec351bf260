import numpy as np
import pytest
from dashboard_runs import DashboardRun, drawn_faces, part_of

from facenet_lit.callbacks.hardest_errors import HardestErrors
from facenet_lit.errors import UserError


@pytest.mark.parametrize(
    ("settings", "text"), [((0, 1), "count=0: "), ((41, 1), "count=41"), ((1, -1), "share=-1")]
)
def test_bad_settings(settings: tuple[int, float], text: str) -> None:
    with pytest.raises(UserError, match=rf"^callbacks\.errors\.{text}"):
        HardestErrors(*settings)


def test_the_pairs_are_those_of_brute_force_with_their_own_pictures(drawn_run: DashboardRun) -> None:
    faces = drawn_faces()
    numbers = part_of(faces, "val")
    points, people = drawn_run.embeddings(faces, numbers).double().numpy(), faces.identities[numbers]
    first, second = np.triu_indices(len(numbers), 1)
    apart, same = np.linalg.norm(points[first] - points[second], axis=1), people[first] == people[second]
    accepts, rejects = (picture for picture in drawn_run.errors if "best step" in picture.title)
    for drawn, wrong, sign in ((accepts, ~same & (apart < 1.1), 1), (rejects, same & (apart >= 1.1), -1)):
        hardest = sorted(zip(sign * apart[wrong], first[wrong], second[wrong], strict=True))[:5]
        assert len(drawn.pairs) == len(hardest)
        assert f"{wrong.sum()} of " in drawn.about
        for pair, (distance, one, other) in zip(drawn.pairs, hardest, strict=True):
            assert pair.distance == pytest.approx(abs(distance), abs=1e-5)
            assert pair.names == (faces.names[people[one]], faces.names[people[other]])
            assert np.array_equal(pair.pictures[0], faces.images[numbers[one]])
            assert np.array_equal(pair.pictures[1], faces.images[numbers[other]])
    assert accepts.title in {f"Hardest false accepts of val, best step {step}" for step in (2, 4)}
    assert len(accepts.pairs) + len(rejects.pairs) > 0
    assert [picture.title for picture in drawn_run.errors[:2]] == [
        "Hardest false accepts of val, step 2",
        "Hardest false rejects of val, step 2",
    ]


def test_pictures_of_errors_are_of_val_alone(drawn_run: DashboardRun) -> None:
    assert len(drawn_run.errors) == 6
    assert not any("test" in picture.title for picture in drawn_run.errors)
