import numpy as np
import pytest
import torch

from facenet_lit import comparison
from facenet_lit.batch import Rows
from facenet_lit.comparison import (
    Difference,
    Scored,
    differences,
    notes,
    refuse_other_images,
    rows_of,
    score_run,
    verdict,
)
from facenet_lit.errors import UserError
from facenet_lit.metrics.figures import figures
from facenet_lit.metrics.pair_scoring import score_all_pairs


def rows(noise: float, people: int = 60, images: int = 4) -> Rows:
    generator = torch.Generator().manual_seed(0)
    identities = torch.arange(people * images) // images
    centres = torch.randn(people, 16, generator=generator)
    moved = noise * torch.randn(people * images, 16, generator=generator)
    return Rows(
        torch.nn.functional.normalize(centres[identities] + moved), identities, torch.arange(people * images)
    )


def scored(noise: float) -> Scored:
    return score_run(rows(noise), None, None, 300, 1.0, [0.1, 0.01])


def test_a_clearly_better_run_is_told_to_be() -> None:
    good, bad = scored(0.6), scored(0.9)
    found = differences(bad, good)
    told = [figures(score_all_pairs(*rows(noise)[:3]), 1.0, [0.1, 0.01]) for noise in (0.9, 0.6)]
    for name, one in found.items():
        assert (one.first, one.second) == (told[0][name], told[1][name])
        assert one.low <= one.difference == one.second - one.first <= one.high
        assert not one.fallback
    assert found["eer_balanced"].high < 0 < found["tar_at_far_1e-2"].low
    assert verdict("eer_balanced", found["eer_balanced"], ["A", "B"]).startswith(
        "at 95% B is better than A, on other people; another seed may differ: eer_bal"
    )
    assert verdict("tar", found["tar"], ["A", "B"]).startswith(
        "at 95% the runs differ, and which is better tar alone can't say: tar "
    )
    turned = differences(good, bad)["eer_balanced"]
    assert verdict("eer_balanced", turned, ["A", "B"]).startswith("at 95% A is better than B")
    better = {row["figure"]: row["better"] for row in rows_of(found)}
    assert better["eer"] == better["tar_at_far_1e-2_balanced"] == "second"
    assert better["far"] == better["tar"] == better["tar_balanced"] == ""


def test_of_runs_that_hardly_differ_none_is_said_to_be_better_nor_as_good() -> None:
    found = differences(scored(0.8), scored(0.805))
    sentence = verdict("eer_balanced", found["eer_balanced"], ["A", "B"])
    assert sentence.startswith("at 95% it can't be told which run is better: eer_balanced 0.")
    assert all(one.low < one.high for one in found.values())


def test_pairing_narrows_the_bounds() -> None:
    one, other = scored(0.8), scored(0.88)
    paired = differences(one, other)["tar_balanced"]
    apart = np.hypot(*(np.std(run.resampled["tar_balanced"].drawn) for run in (one, other)))
    assert paired.high - paired.low < 0.7 * 2 * 1.96 * apart


def test_listed_pairs_have_an_accuracy_at_each_run_s_own_threshold() -> None:
    pairs = np.array([[4 * k, 4 * k + 1] for k in range(60)] + [[4 * k, 4 * k + 5] for k in range(0, 59)])
    runs = [
        score_run(rows(noise), pairs, threshold, 200, 1.0, [0.1])
        for noise, threshold in ((0.6, 0.9), (0.9, 1.1))
    ]
    accuracy = differences(*runs)["accuracy"]
    distances = (rows(0.6).embeddings[pairs[:, 0]] - rows(0.6).embeddings[pairs[:, 1]]).norm(dim=1).numpy()
    assert accuracy.first == pytest.approx(((distances < 0.9) == (np.arange(119) < 60)).mean())


def test_a_few_people_are_marked() -> None:
    runs = [score_run(rows(noise, 10), None, None, 100, 1.0, [0.1]) for noise in (0.6, 0.9)]
    found = differences(*runs)
    assert all(one.fallback for one in found.values())
    assert all("(no bootstrap)" in str(row["95% bounds"]) for row in rows_of(found))
    assert verdict("eer", found["eer"], ["A", "B"]).endswith(
        ") (too few people, or too few that the runs differ on, for a bootstrap)"
    )
    assert notes(found)[1].startswith(
        "no bootstrap: fewer than 30 effective identities, or the runs differ on fewer"
    )


def test_runs_that_differ_on_nobody_are_marked_on_many_people_as_well() -> None:
    found = differences(scored(0.6), scored(0.6))
    assert all(one.fallback and one.low < 0 < one.high for one in found.values())
    assert len(notes(found)) == 2


def test_several_comparisons_are_told_to_be_several() -> None:
    found = {name: Difference(0.1, 0.2, 0.1, 0.05, 0.15, False) for name in ("eer", "tar")}
    assert notes(found) == ["better: 2 comparisons, each at 95% by itself: of many, some come out by chance"]


def test_a_bound_at_0_is_no_difference() -> None:
    sentence = verdict("eer", Difference(0.1, 0.1, 0.0, 0.0, 0.0, False), ["A", "B"])
    assert sentence.startswith("at 95% it can't be told which run is better")
    assert "bootstrap" not in sentence


def test_other_images_and_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one = rows(0.6)
    with pytest.raises(UserError, match="different images"):
        refuse_other_images(one, Rows(*(column[1:] for column in one[:3])))
    refuse_other_images(one, rows(0.9))
    with pytest.raises(UserError, match="no genuine pair"):
        score_run(Rows(*(column[::4] for column in one[:3])), None, None, 100, 1.0, [0.1])
    monkeypatch.setattr(comparison, "HELD", 100)
    with pytest.raises(UserError, match="28,680 pairs are more than 100"):
        scored(0.6)
